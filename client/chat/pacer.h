// How fast a file may be poured into a room.
//
// UDP has no way to say "slower": a few hundred datagrams at once overflow the queue of a receiver
// that is busy for a moment, and they are gone without a word. And a server lets a member say so
// much and no more (chatd's default is 500 messages a second). So lines from a pipe go out in small
// bursts at a rate below that, which nobody who types will ever reach.
//
// Thread: none of its own. Times are milliseconds of any steady clock.
#pragma once

#include <cstdint>

#include "core/ratelimit/token_bucket.h"

namespace chatd::client {

class Pacer {
 public:
  static constexpr std::uint32_t kPerSecond = 400;
  static constexpr std::uint32_t kBurstMs = 80;

  // Whether one more may go now; it is counted then.
  bool take(std::int64_t now_ms) {
    asked_at_ms_ = now_ms;
    return bucket_.take(static_cast<TimeMs>(now_ms), kRate);
  }

  // When to ask again after a refusal.
  std::int64_t next_ms() const { return asked_at_ms_ + 1; }

 private:
  static constexpr TokenRate kRate{.units = kPerSecond, .burst_ms = kBurstMs};

  TokenBucket bucket_;
  std::int64_t asked_at_ms_ = 0;
};

}  // namespace chatd::client
