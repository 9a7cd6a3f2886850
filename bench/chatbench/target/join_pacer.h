// How fast members may join (--join-rate): at the begin one, and then as many as the time allows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace chatd::bench {

class JoinPacer {
 public:
  // `joins_per_s` 0: as fast as the server answers.
  JoinPacer(double joins_per_s, std::int64_t begin_ms)
      : joins_per_s_(joins_per_s), begin_ms_(begin_ms) {}

  // How many joins may have been asked for by now, out of `members`.
  std::uint32_t allowed(std::int64_t now_ms, std::uint32_t members) const {
    if (joins_per_s_ <= 0) return members;
    const double due = 1 + joins_per_s_ * static_cast<double>(now_ms - begin_ms_) / 1000;
    return static_cast<std::uint32_t>(std::min(due, static_cast<double>(members)));
  }

 private:
  double joins_per_s_;
  std::int64_t begin_ms_;
};

}  // namespace chatd::bench
