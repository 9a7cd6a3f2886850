// A point in time at which waiting ends. Tests wait for conditions, and a deadline only bounds how
// long they wait when the condition never comes: a passing test does not see it.
#pragma once

#include <algorithm>
#include <chrono>

namespace chatd::test {

// Long enough for a busy two-core machine with sanitizers; nobody waits that long in a good run.
inline constexpr std::chrono::milliseconds kPatience{15'000};

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  // Implicit, so that a duration can stand where a deadline is asked for.
  template <typename Rep, typename Period>
  Deadline(std::chrono::duration<Rep, Period> from_now) : at_(Clock::now() + from_now) {}

  bool passed() const { return Clock::now() >= at_; }

  // For poll(2): rounded up, so that a wait does not turn into a spin in the last millisecond.
  int remaining_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }

 private:
  Clock::time_point at_;
};

}  // namespace chatd::test
