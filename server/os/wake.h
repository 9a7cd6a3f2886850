// Makes an eventfd readable, for whoever waits for it.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace chatd {

// A wake-up that got lost would leave a shard asleep over its mail for ever, so an interruption is
// no reason to give up. (There is no other failure before the 2^64th call: eventfd(2).)
inline void wake(int event_fd) {
  const std::uint64_t one = 1;
  while (::write(event_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

// Nobody has woken it, from here on. It must not block.
inline void take_wake_ups(int event_fd) {
  std::uint64_t count = 0;
  while (::read(event_fd, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

}  // namespace chatd
