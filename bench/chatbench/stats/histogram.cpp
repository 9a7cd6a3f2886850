#include "bench/chatbench/stats/histogram.h"

#include <algorithm>
#include <cmath>

namespace chatd::bench {
namespace {

// How many samples are at or below the q-quantile. 0.999 * 10,000 comes out a hair above 9,990 in
// floating point; without the rate_limiter for that, the rank would be one too high.
std::uint64_t rank_of(double q, std::uint64_t count) {
  constexpr double kRoundingAllowance = 1e-12;
  const double exact = q * static_cast<double>(count);
  const auto rank = static_cast<std::uint64_t>(std::ceil(exact * (1 - kRoundingAllowance)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

}  // namespace

std::optional<std::uint64_t> Histogram::percentile(double q) const {
  if (!(q > 0 && q < 1) || count_ < kMinSamplesBeyond) return std::nullopt;
  if (count_ - rank_of(q, count_) < kMinSamplesBeyond) return std::nullopt;
  return value_at(q);
}

std::uint64_t Histogram::value_at(double q) const {
  if (!(q > 0 && q <= 1) || count_ == 0) return 0;
  const std::uint64_t rank = rank_of(q, count_);
  if (rank > count_ - never_) return kNever;
  std::uint64_t seen = 0;
  for (std::size_t i = index_of(min_); i < kBuckets; ++i) {
    seen += (*counts_)[i];
    // The bucket's upper end: what is reported is never better than what was measured.
    if (seen >= rank) return i + 1 == kBuckets ? max_ : std::min(lowest_of(i + 1) - 1, max_);
  }
  return max_;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  const std::size_t last = index_of(other.max_);
  for (std::size_t i = index_of(other.min_); i <= last; ++i) (*counts_)[i] += (*other.counts_)[i];
  count_ += other.count_;
  never_ += other.never_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::reset() {
  // Only what was touched: chatbench resets one each second.
  const auto begin = counts_->begin();
  if (count_ > never_) {
    std::fill(begin + static_cast<std::ptrdiff_t>(index_of(min_)),
              begin + static_cast<std::ptrdiff_t>(index_of(max_)) + 1, 0);
  }
  count_ = 0;
  never_ = 0;
  sum_ = 0;
  min_ = ~std::uint64_t{0};
  max_ = 0;
}

}  // namespace chatd::bench
