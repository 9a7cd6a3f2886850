#include "server/life/reloader.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace chatd {
namespace {

// Into the log, and into the report.
void say(ReloadReport& report, spdlog::level::level_enum level, std::string line) {
  spdlog::log(level, "reload: {}", line);
  report.lines.push_back(std::move(line));
}

void say(ReloadReport& report, const config::Difference& difference) {
  const std::string name = difference.row->toml_name();
  if (difference.needs_restart) {
    say(report, spdlog::level::warn,
        fmt::format("{} = {} needs a restart; {} stays in force", name, difference.new_text,
                    difference.old_text));
  } else {
    say(report, spdlog::level::info,
        fmt::format("{} = {} (was {})", name, difference.new_text, difference.old_text));
  }
}

}  // namespace

void Reloader::reload(Server& server) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++begun_;
  }
  ReloadReport report = load_again(server);
  report.number = number;
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

void Reloader::pass_on(std::string how) {
  ReloadReport report;
  report.is_loaded = true;
  say(report, spdlog::level::info, std::move(how));
  const std::lock_guard lock(mutex_);
  report.number = ++begun_;
  report_ = std::move(report);
}

ReloadReport Reloader::load_again(Server& server) {
  ReloadReport report;
  auto loaded = config::load(argc_, argv_, environ);
  if (!loaded) {
    for (const std::string& error : loaded.error()) say(report, spdlog::level::err, error);
    spdlog::error("reload: nothing has changed; mend this and reload again");
    return report;
  }
  report.is_loaded = true;
  const auto differences = config::differences(configuration_, *loaded);
  config::keep_until_restart(configuration_, *loaded);
  if (const auto taken = server.set_limits(loaded->options.limits); !taken) {
    say(report, spdlog::level::err, "not every shard has the new limits: " + taken.error());
  }
  spdlog::set_level(spdlog::level::from_str(loaded->options.log_level));
  for (const config::Difference& difference : differences) say(report, difference);
  if (std::ranges::any_of(differences, &config::Difference::needs_restart)) {
    say(report, spdlog::level::info,
        "what needs a restart comes by SIGUSR1 without losing anybody; the address, the ports and "
        "the number of shards do not");
  }
  if (differences.empty()) say(report, spdlog::level::info, "nothing has changed");
  const std::lock_guard lock(mutex_);
  configuration_ = std::move(*loaded);
  return report;
}

std::uint64_t Reloader::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

std::optional<ReloadReport> Reloader::report_after(std::uint64_t others) const {
  const std::lock_guard lock(mutex_);
  if (report_.number <= others) return std::nullopt;
  return report_;
}

config::Configuration Reloader::configuration() const {
  const std::lock_guard lock(mutex_);
  return configuration_;
}

}  // namespace chatd
