// Randomness that a seed repeats, with the same numbers from every standard library: the
// distributions of <random> are each library's own affair.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace chatd::bench {

// Thread: one at a time.
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

}  // namespace chatd::bench
