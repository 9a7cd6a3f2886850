// Waiting: for a descriptor, or for a condition that no descriptor announces (a figure in /proc,
// for example).
#pragma once

#include <poll.h>

#include <chrono>
#include <thread>

#include "tests/support/deadline.h"

namespace chatd::test {

// Whether the descriptor had one of poll(2)'s `events`, or an error, before the deadline.
inline bool wait_ready(int fd, short events, Deadline deadline = kPatience) {
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  while (true) {
    const int ready = ::poll(&waiting, 1, deadline.remaining_ms());
    if (ready > 0) return true;
    if (deadline.passed()) return false;
  }
}

// Whether `condition()` came true before the deadline.
template <typename Condition>
bool wait_until(Condition condition, Deadline deadline = kPatience) {
  while (!condition()) {
    if (deadline.passed()) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace chatd::test
