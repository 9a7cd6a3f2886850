// What of a workload is drawn from a seed: when messages are due, and how large they are.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace chatd::bench {

// Randomness that a seed repeats, with the same numbers from every standard library: the
// standard leaves the distributions of <random> to each library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 0..bound-1. Multiplying and shifting is less even than dividing, by bound / 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((engine_() >> 32) * std::uint64_t{bound}) >> 32);
  }
  // In [0, 1).
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  // Of mean 1.
  double exponential() { return -std::log1p(-unit()); }

 private:
  std::mt19937_64 engine_;
};

// When an open loop sends. The times are fixed in advance and know nothing of the server: a slow
// one does not get fewer messages, as it would from clients that wait for answers, and its latency
// counts from the time at which a message was due ("coordinated omission" is what hides otherwise).
//
//   constant   evenly spaced
//   poisson    independent of each other, as from many people: exponential gaps of the same mean
//
// Times are nanoseconds since the begin. Thread: one at a time.
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

// How large the messages are: `128`, a range `64-512`, or weighted sizes `64:70,512:20,1400:10`. In
// bytes of payload.
class SizeDistribution {
 public:
  // Every size is within lowest..highest; the error is a sentence.
  static tl::expected<SizeDistribution, std::string> parse(std::string_view text,
                                                           std::uint32_t lowest,
                                                           std::uint32_t highest);

  std::uint32_t next(Random& random) const;
  std::uint32_t largest() const { return largest_; }

 private:
  // first..last are as likely as each other.
  struct Part {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t weight_until = 0;  // of this part and those before it
  };

  std::vector<Part> parts_;
  std::uint32_t largest_ = 0;
};

}  // namespace chatd::bench
