// Time, and waiting: the clock, waking who waits, and waiting for one of several descriptors.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <optional>

#include "core/base/time.h"

namespace chatd {

// The clock of a shard's duty cycle: monotonic, read once a cycle; in nanoseconds for histograms,
// and in milliseconds for everything else.
using TimeNs = std::uint64_t;

inline TimeNs monotonic_now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + static_cast<TimeNs>(now.tv_nsec);
}

inline TimeMs to_ms(TimeNs now_ns) {
  return now_ns / 1'000'000;
}

inline TimeMs monotonic_now_ms() {
  return to_ms(monotonic_now_ns());
}

// Makes an eventfd readable, for whoever waits for it. A wake-up that got lost would leave a shard
// asleep over its mail for ever, so an interruption is no reason to give up. (There is no other
// failure before the 2^64th call: eventfd(2).)
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

inline constexpr int kNoDescriptor = -1;  // it is passed over

// The place in the list of the first that is readable; nothing when none is for `timeout_ms` (-1:
// waits for ever). A poll that fails (no memory) is tried again a moment later (with a timeout: by
// the caller), and the log says so once: who waits for the order to stop must not take a failure
// for it, nor miss it.
std::optional<std::size_t> wait_readable(std::initializer_list<int> fds, int timeout_ms = -1);

}  // namespace chatd
