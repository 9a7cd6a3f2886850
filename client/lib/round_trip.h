// How long to wait for an answer: from how long answers have taken. Source: RFC 6298, with a floor
// of 50 ms instead of a second, for nobody loses much when something is said twice.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/time.h"

namespace chatd::client {

class RoundTrip {
 public:
  static constexpr TimeMs kInitialTimeoutMs = 500;
  static constexpr TimeMs kMinTimeoutMs = 50;
  static constexpr TimeMs kMaxTimeoutMs = 10'000;

  void add(TimeMs sample_ms) {
    const auto sample = static_cast<double>(sample_ms);
    if (!has_sample_) {
      has_sample_ = true;
      smoothed_ms_ = sample;
      variation_ms_ = sample / 2;
      return;
    }
    variation_ms_ += (std::abs(smoothed_ms_ - sample) - variation_ms_) / 4;
    smoothed_ms_ += (sample - smoothed_ms_) / 8;
  }

  bool has_sample() const { return has_sample_; }
  // 0 before the first sample.
  TimeMs smoothed_ms() const { return static_cast<TimeMs>(smoothed_ms_); }
  // After so many timeouts in a row.
  TimeMs timeout_ms(std::uint32_t backoff = 0) const {
    const TimeMs timeout_ms =
        has_sample_ ? static_cast<TimeMs>(smoothed_ms_ + std::max(4 * variation_ms_, 10.0))
                    : kInitialTimeoutMs;
    return std::min(std::max(timeout_ms, kMinTimeoutMs) << std::min(backoff, 8u), kMaxTimeoutMs);
  }

 private:
  bool has_sample_ = false;
  double smoothed_ms_ = 0;
  double variation_ms_ = 0;
};

}  // namespace chatd::client
