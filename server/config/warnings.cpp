#include "server/config/warnings.h"

#include <cstdint>
#include <string_view>

#include "server/config/table.h"

namespace chatd::config {
namespace {

// The rhythm of clients that do not read the timeout from the answer to their join: `chat` before
// it did so said something once a minute.
constexpr std::uint32_t kSlowestHeartbeatMs = 60'000;

// The text of an option, and where it comes from.
std::string setting_text(const Configuration& configuration, std::string_view key) {
  for (const Setting& setting : configuration.settings) {
    if (setting.option->key != key) continue;
    return std::string(key) + " = " + setting.text + " (" + to_text(setting.source) + ")";
  }
  return std::string(key);
}

}  // namespace

std::vector<std::string> warnings(const Configuration& configuration) {
  std::vector<std::string> found = configuration.deprecations;
  if (configuration.options.limits.idle_timeout_ms <= kSlowestHeartbeatMs) {
    found.push_back(setting_text(configuration, "idle_timeout") +
                    ": quiet members will be removed whose client does not adapt to it. chat does; "
                    "before it did, it sent a heartbeat once in 60s, and others may still. Better "
                    "have 180s or more");
  }
  return found;
}

}  // namespace chatd::config
