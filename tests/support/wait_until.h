// Waits for a condition that no descriptor announces (a figure in /proc, for example).
#pragma once

#include <chrono>
#include <thread>

#include "tests/support/deadline.h"

namespace chatd::test {

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
