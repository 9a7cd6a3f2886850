#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "server/config/configuration.h"
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

namespace {

constexpr int kUsageError = 2;

// The exit code. A reader of stdout that is gone, or a full disk, is no success.
int tell(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "chatd: stdout cannot be written: %s\n", std::strerror(errno));
  return 1;
}

// What is set and cannot be used. Not part of load(): whether files are there is no question of the
// configuration's form, and where it is asked differs.
Errors unusable(const Configuration& configuration) {
  const CertificatePlace place = certificate_files(configuration.options);
  if (place.certificate_path.empty() && place.key_path.empty()) return {};
  const auto found = read_certificate_files(place);
  return found ? Errors{} : Errors{found.error()};
}

tl::expected<Configuration, int> fail(const Errors& errors) {
  for (const std::string& error : errors) std::fprintf(stderr, "chatd: %s\n", error.c_str());
  return tl::unexpected(kUsageError);
}

}  // namespace

tl::expected<Configuration, int> configure(int argc, const char* const* argv) {
  auto configuration = load(argc, argv, environ);
  if (!configuration) return fail(configuration.error());
  switch (configuration->command_line.task) {
    case Task::kTell:
      return tl::unexpected(tell(configuration->command_line.text));
    case Task::kCheckConfig:
      if (const Errors errors = unusable(*configuration); !errors.empty()) return fail(errors);
      for (const std::string& warning : warnings(*configuration)) {
        std::fprintf(stderr, "chatd: warning: %s\n", warning.c_str());
      }
      return tl::unexpected(tell("configuration ok\n"));
    case Task::kPrintConfig:
      return tl::unexpected(tell(print(*configuration)));
    default:
      return std::move(*configuration);
  }
}

}  // namespace chatd::config
