// A rate limit as people think of it: a bucket with so much in it, which fills steadily. (The core
// keeps the time at which it would be full instead: core/ratelimit/token_bucket.h. The two agree to
// the last unit as long as a unit is a whole number of nanoseconds, and scenarios see to that.)
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace chatd::sim {

class Bucket {
 public:
  // So many units `per_ms`, and so much at once as `burst_ms` earns; no units: without limit. What
  // `kept_ms` earns must be left.
  struct Rate {
    std::uint64_t units = 0;
    std::int64_t per_ms = 1000;
    std::int64_t burst_ms = 1000;
    std::int64_t kept_ms = 0;
  };

  bool has(TimeMs now_ms, const Rate& rate, std::uint64_t units = 1) const {
    return Bucket(*this).take(now_ms, rate, units);
  }
  bool take(TimeMs now_ms, const Rate& rate, std::uint64_t units = 1) {
    if (rate.units == 0) return true;
    const std::int64_t full_ns = rate.burst_ms * kNsPerMs;
    const auto now_ns = static_cast<std::int64_t>(now_ms) * kNsPerMs;
    const std::int64_t price_ns = static_cast<std::int64_t>(units) * rate.per_ms * kNsPerMs /
                                  static_cast<std::int64_t>(rate.units);
    content_ns_ = is_new_ ? full_ns : std::min(full_ns, content_ns_ + now_ns - filled_ns_);
    filled_ns_ = now_ns;
    is_new_ = false;
    const std::int64_t kept_ns = rate.kept_ms * kNsPerMs;
    if (content_ns_ - kept_ns < std::min(price_ns, full_ns - kept_ns)) return false;
    content_ns_ -= price_ns;  // what is dearer than a full bucket may be taken from a full one
    return true;
  }

 private:
  static constexpr std::int64_t kNsPerMs = 1'000'000;

  bool is_new_ = true;
  std::int64_t content_ns_ = 0;  // what has been earned and not spent
  std::int64_t filled_ns_ = 0;
};

}  // namespace chatd::sim
