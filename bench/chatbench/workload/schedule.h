// When an open loop sends. The times are fixed in advance and know nothing of the server: a slow
// one does not get fewer messages, as it would from clients that wait for answers, and its latency
// counts from the time at which a message was due ("coordinated omission" is what hides otherwise).
//
//   constant   evenly spaced
//   poisson    independent of each other, as from many people: exponential gaps of the same mean
//
// Times are nanoseconds since the begin. Thread: one at a time.
#pragma once

#include <cmath>
#include <cstdint>

#include "bench/chatbench/workload/random.h"

namespace chatd::bench {

enum class Arrivals : std::uint8_t { kConstant, kPoisson };

class Schedule {
 public:
  // `rate_per_s` is above 0.
  Schedule(Arrivals arrivals, double rate_per_s) : arrivals_(arrivals), gap_ns_(1e9 / rate_per_s) {}

  std::int64_t next_ns() const { return static_cast<std::int64_t>(next_ns_); }
  // How many more are due before that time: of independent ones, how many there are in the mean.
  // All at once, for a rate may be too high for counting.
  std::uint64_t due_before(std::int64_t end_ns) const {
    constexpr double kRoundingAllowance = 1e-6;
    const double gaps = (static_cast<double>(end_ns) - next_ns_) / gap_ns_;
    return gaps > 0 ? static_cast<std::uint64_t>(std::ceil(gaps - kRoundingAllowance)) : 0;
  }
  void advance(Random& random) {
    ++count_;
    // Constant times are computed, not added up, so that they do not drift.
    next_ns_ = arrivals_ == Arrivals::kConstant ? static_cast<double>(count_) * gap_ns_
                                                : next_ns_ + gap_ns_ * random.exponential();
  }

 private:
  Arrivals arrivals_;
  double gap_ns_;
  double next_ns_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace chatd::bench
