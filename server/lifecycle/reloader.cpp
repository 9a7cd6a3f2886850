#include "server/lifecycle/reloader.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace chatd {
namespace {

// Into the log, and into the result.
void say(CommandResult& result, spdlog::level::level_enum level, std::string line) {
  spdlog::log(level, "reload: {}", line);
  result.lines.push_back(std::move(line));
}

void say(CommandResult& result, const config::Difference& difference) {
  const std::string name = difference.option->toml_name();
  if (difference.needs_restart()) {
    say(result, spdlog::level::warn,
        fmt::format("{} = {} needs a restart; {} stays in force", name, difference.new_text,
                    difference.old_text));
  } else {
    say(result, spdlog::level::info,
        fmt::format("{} = {} (was {})", name, difference.new_text, difference.old_text));
  }
}

}  // namespace

CommandResult Reloader::reload(Server& server) {
  CommandResult result{.is_done = false};
  auto loaded = config::load(argc_, argv_, environ);
  if (!loaded) {
    for (const std::string& error : loaded.error()) say(result, spdlog::level::err, error);
    spdlog::error("reload: nothing has changed; mend this and reload again");
    return result;
  }
  const std::string old_fingerprint = server.certificate_fingerprint();
  if (const auto found = server.reload_certificate(loaded->options); !found) {
    say(result, spdlog::level::err, found.error());
    spdlog::error("reload: nothing has changed; mend this and reload again");
    return result;
  }
  result.is_done = true;
  const std::string fingerprint = server.certificate_fingerprint();
  const auto differences = config::differences(configuration_, *loaded);
  config::keep_until_restart(configuration_, *loaded);
  if (const auto taken = server.set_limits(loaded->options.limits); !taken) {
    say(result, spdlog::level::err, "not every shard has the new limits: " + taken.error());
  }
  if (const auto taken = server.set_configured_bans(loaded->options); !taken) {
    say(result, spdlog::level::err, "not every shard has the new bans: " + taken.error());
  }
  spdlog::set_level(spdlog::level::from_str(loaded->options.log_level));
  for (const std::string& line : loaded->deprecations) say(result, spdlog::level::warn, line);
  for (const config::Difference& difference : differences) say(result, difference);
  if (std::ranges::any_of(differences, &config::Difference::needs_restart)) {
    say(result, spdlog::level::info,
        "what needs a restart comes by SIGUSR1 without losing anybody; the address, the ports "
        "(but for TLS) and the number of shards do not");
  }
  if (fingerprint != old_fingerprint) {
    say(result, spdlog::level::info,
        "the TLS port has another certificate; its SHA-256 is " + fingerprint);
  } else if (differences.empty())
    say(result, spdlog::level::info, "nothing has changed");
  const std::lock_guard lock(mutex_);
  configuration_ = std::move(*loaded);
  return result;
}

config::Configuration Reloader::configuration() const {
  const std::lock_guard lock(mutex_);
  return configuration_;
}

}  // namespace chatd
