#include "client/net/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <limits>
#include <system_error>

namespace chatd::client {

WaitResult wait_for(int fd, short events, std::int64_t deadline_ms, int interrupt_fd) {
  for (;;) {
    std::array<pollfd, 2> watched{pollfd{.fd = fd, .events = events, .revents = 0},
                                  pollfd{.fd = interrupt_fd, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(watched.data(), watched.size(), poll_timeout_ms(deadline_ms));
    if (ready > 0) return watched[1].revents != 0 ? WaitResult::kInterrupted : WaitResult::kReady;
    if (now_ms() >= deadline_ms) return WaitResult::kTimedOut;
  }
}

int poll_timeout_ms(std::int64_t deadline_ms) {
  const std::int64_t left_ms = deadline_ms - now_ms();
  return static_cast<int>(
      std::clamp<std::int64_t>(left_ms, 0, std::numeric_limits<int>::max() / 2));
}

std::string system_reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace chatd::client
