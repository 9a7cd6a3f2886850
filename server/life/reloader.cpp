#include "server/life/reloader.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

namespace chatd {
namespace {

void say(const config::Difference& difference) {
  const std::string name = difference.row->toml_name();
  if (difference.needs_restart) {
    spdlog::warn("reload: {} = {} needs a restart; {} stays in force", name, difference.new_text,
                 difference.old_text);
  } else {
    spdlog::info("reload: {} = {} (was {})", name, difference.new_text, difference.old_text);
  }
}

}  // namespace

void Reloader::reload(Server& server) {
  auto loaded = config::load(argc_, argv_, environ);
  if (!loaded) {
    for (const std::string& error : loaded.error()) spdlog::error("reload: {}", error);
    spdlog::error("reload: nothing has changed; mend this and reload again");
    return;
  }
  const auto differences = config::differences(configuration_, *loaded);
  config::keep_until_restart(configuration_, *loaded);
  if (const auto taken = server.set_limits(loaded->options.limits); !taken) {
    spdlog::error("reload: not every shard has the new limits: {}", taken.error());
  }
  spdlog::set_level(spdlog::level::from_str(loaded->options.log_level));
  for (const config::Difference& difference : differences) say(difference);
  if (differences.empty()) spdlog::info("reload: nothing has changed");
  const std::lock_guard lock(mutex_);
  configuration_ = std::move(*loaded);
}

config::Configuration Reloader::configuration() const {
  const std::lock_guard lock(mutex_);
  return configuration_;
}

}  // namespace chatd
