// How fast a file may be poured into a room.
//
// UDP has no way to say "slower": a few hundred datagrams at once overflow the queue of a receiver
// that is busy for a moment, and they are gone without a word. So lines from a pipe go out in small
// bursts at a bounded rate, which nobody who types will ever reach.
//
// Thread: none of its own. Times are milliseconds of any steady clock.
#pragma once

#include <algorithm>
#include <cstdint>

namespace chatd::client {

class Pace {
 public:
  static constexpr std::int64_t kBurst = 32;
  static constexpr std::int64_t kPerMs = 2;

  explicit Pace(std::int64_t now_ms) : refilled_at_ms_(now_ms) {}

  // Whether one more may go now; it is counted then.
  bool take(std::int64_t now_ms) {
    if (now_ms > refilled_at_ms_) {
      const std::int64_t elapsed_ms = std::min(now_ms - refilled_at_ms_, kBurst);
      credit_ = std::min(kBurst, credit_ + elapsed_ms * kPerMs);
      refilled_at_ms_ = now_ms;
    }
    if (credit_ == 0) return false;
    --credit_;
    return true;
  }

  // When to ask again after a refusal.
  std::int64_t next_ms() const { return refilled_at_ms_ + 1; }

 private:
  std::int64_t credit_ = kBurst;
  std::int64_t refilled_at_ms_;
};

}  // namespace chatd::client
