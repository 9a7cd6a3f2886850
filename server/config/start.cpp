#include "server/config/start.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "server/config/warnings.h"

namespace chatd::config {
namespace {

constexpr int kUsageError = 2;

// The exit code. A reader of stdout that is gone, or a full disk, is no success.
int tell(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "chatd: stdout cannot be written: %s\n", std::strerror(errno));
  return 1;
}

}  // namespace

tl::expected<Configuration, int> configure(int argc, const char* const* argv) {
  auto configuration = load(argc, argv, environ);
  if (!configuration) {
    for (const std::string& error : configuration.error()) {
      std::fprintf(stderr, "chatd: %s\n", error.c_str());
    }
    return tl::unexpected(kUsageError);
  }
  switch (configuration->command_line.task) {
    case Task::kTell:
      return tl::unexpected(tell(configuration->command_line.text));
    case Task::kCheckConfig:
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
