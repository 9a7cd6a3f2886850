#include "server/os/wait.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "server/os/system_error.h"

namespace chatd {
namespace {

constexpr std::chrono::milliseconds kRetry{100};

}  // namespace

std::optional<std::size_t> wait_readable(std::initializer_list<int> fds, int timeout_ms) {
  std::vector<pollfd> watched;
  for (const int fd : fds) watched.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  bool has_said_so = false;
  while (::poll(watched.data(), watched.size(), timeout_ms) < 0) {
    if (errno == EINTR) continue;
    if (!std::exchange(has_said_so, true)) {
      spdlog::warn("{}; waiting goes on", system_error("poll"));
    }
    std::this_thread::sleep_for(kRetry);
    if (timeout_ms >= 0) return std::nullopt;  // the caller has other things to look at, too
  }
  for (std::size_t i = 0; i < watched.size(); ++i) {
    if (watched[i].revents != 0) return i;
  }
  return std::nullopt;
}

}  // namespace chatd
