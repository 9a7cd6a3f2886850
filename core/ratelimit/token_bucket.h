// A token bucket in eight bytes: at most so much in a while, with bursts.
//
// Kept as the generic cell rate algorithm's virtual scheduling (ITU-T I.371, 1996, annex A): not
// what is left in the bucket but the time at which it will be full again. Each unit taken moves
// that time on by what it takes to earn one, and as long as it lies no further ahead than a burst
// lasts, more may be taken. So a bucket that is zero is full, nothing has to be refilled, and
// nothing is rounded but a fraction of a nanosecond a take.
//
// What costs more than a whole burst may be taken from a full bucket, which then takes longer to
// fill: a room may be so large that one message to it is worth seconds. Thread: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace chatd {

// So many units in so long. Bursts: what that earns in burst_ms.
struct TokenRate {
  std::uint64_t units = 0;  // 0: without limit
  std::uint32_t per_ms = 1000;
  std::uint32_t burst_ms = 1000;

  bool is_unlimited() const { return units == 0; }
};

class TokenBucket {
 public:
  // Whether `units` may be taken now; changes nothing.
  bool has(TimeMs now_ms, const TokenRate& rate, std::uint64_t units = 1) const {
    TokenBucket copy = *this;
    return copy.take(now_ms, rate, units);
  }

  // Takes them if they are there.
  bool take(TimeMs now_ms, const TokenRate& rate, std::uint64_t units = 1) {
    if (rate.is_unlimited()) return true;
    const std::uint64_t burst_ns = rate.burst_ms * kNsPerMs;
    const std::uint64_t now_ns = now_ms * kNsPerMs;
    const std::uint64_t spent_until_ns = std::max(full_at_ns_, now_ns);
    const std::uint64_t needed_ns = cost_ns(rate, units);
    if (spent_until_ns + std::min(needed_ns, burst_ns) > now_ns + burst_ns) return false;
    full_at_ns_ = spent_until_ns + needed_ns;
    return true;
  }

  // Full, it says nothing about the past and may be forgotten.
  bool is_full(TimeMs now_ms) const { return full_at_ns_ <= now_ms * kNsPerMs; }

 private:
  static constexpr std::uint64_t kNsPerMs = 1'000'000;
  // More at once count as so many: times a minute in nanoseconds, they fit 64 bits.
  static constexpr std::uint64_t kMaxUnits = 100'000'000;

  static std::uint64_t cost_ns(const TokenRate& rate, std::uint64_t units) {
    return std::min(units, kMaxUnits) * rate.per_ms * kNsPerMs / rate.units;
  }

  std::uint64_t full_at_ns_ = 0;
};

}  // namespace chatd
