// Counts of durations, log-linear as in HdrHistogram: exact below 2,048, above that 1,024 buckets
// for each doubling, so that a bucket is never wider than 0.1 % of the values in it (three
// significant digits).
//
// A mean hides the slow thousandth that people notice, and keeping each sample costs memory in the
// middle of a measurement. This costs an addition per sample and 264 KiB, whatever comes. Source:
// G. Tene, HdrHistogram, https://hdrhistogram.github.io/HdrHistogram/.
//
// A sample may be kNever: something that was awaited and did not come. It is greater than every
// value, so that a percentile which reaches the missing ones is kNever, and not the best of those
// that came: what is lost must not make a server look fast.
//
// Values have no unit here; chatbench records nanoseconds. Thread: one at a time; threads record
// into one each, and merge().
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

namespace chatd::bench {

// Greater than every value. As a number it passes every upper limit, also where nobody thought of
// it.
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

class Histogram {
 public:
  // 73 minutes in nanoseconds. Greater values are counted in the last bucket; max() and mean() are
  // exact for them too.
  static constexpr std::uint64_t kHighestTrackable = (std::uint64_t{1} << 42) - 1;

  // A percentile is a statement about the samples beyond it. With fewer than these it is the luck
  // of single samples, and not given: p50 takes 20 samples, p99 1,000, p99.9 10,000.
  static constexpr std::uint64_t kMinSamplesBeyond = 10;

  Histogram() : counts_(std::make_unique<Counts>()) {}

  void record(std::uint64_t value) {
    ++(*counts_)[index_of(value)];
    ++count_;
    sum_ += static_cast<double>(value);
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }

  // So many samples of kNever.
  void record_never(std::uint64_t count) {
    never_ += count;
    count_ += count;
  }

  // All samples; of them, those of kNever.
  std::uint64_t count() const { return count_; }
  std::uint64_t never() const { return never_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return never_ > 0 ? kNever : max_; }
  // Infinite when some never came.
  double mean() const {
    if (never_ > 0) return std::numeric_limits<double>::infinity();
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
  }

  // The smallest value that at least q of all samples (0 < q < 1: 0.99 is the 99th percentile) do
  // not exceed, at most 0.1 % too high and never too low. Nothing with fewer than kMinSamplesBeyond
  // samples beyond it, or for another q.
  std::optional<std::uint64_t> percentile(double q) const;
  // The same (0 < q <= 1) however few samples there are; 0 when there are none.
  std::uint64_t value_at(double q) const;

  void merge(const Histogram& other);
  void reset();

  struct Bucket {
    std::uint64_t lowest;
    std::uint64_t highest;
    std::uint64_t count;
  };
  // Calls visit(Bucket) for each that is not empty, lowest first.
  template <class Visit>
  void for_each_bucket(Visit visit) const {
    if (count_ == 0) return;
    for (std::size_t i = index_of(min_); i <= index_of(max_); ++i) {
      if ((*counts_)[i] != 0) visit(Bucket{lowest_of(i), lowest_of(i + 1) - 1, (*counts_)[i]});
    }
  }

 private:
  static constexpr unsigned kExactBits = 11;  // values below 2^11 have a bucket each
  static constexpr std::size_t kPerDoubling = std::size_t{1} << (kExactBits - 1);
  static constexpr std::size_t kBuckets =
      2 * kPerDoubling + (std::bit_width(kHighestTrackable) - kExactBits) * kPerDoubling;
  using Counts = std::array<std::uint64_t, kBuckets>;

  // Above the exact range a value keeps its highest eleven bits; the number of those cut off says
  // which doubling it is in.
  static std::size_t index_of(std::uint64_t value) {
    if (value > kHighestTrackable) value = kHighestTrackable;
    const auto bits = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = bits > kExactBits ? bits - kExactBits : 0;
    return shift * kPerDoubling + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t lowest_of(std::size_t index) {
    if (index < 2 * kPerDoubling) return index;
    const std::size_t shift = index / kPerDoubling - 1;
    return (index - shift * kPerDoubling) << shift;
  }

  std::unique_ptr<Counts> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t never_ = 0;  // of them
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace chatd::bench
