// What a run keeps of a histogram: a few hundred bytes that can be written, read back and compared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "bench/chatbench/stats/histogram.h"

namespace chatd::bench {

struct PercentilePoint {
  double q = 0;  // 0.99: 99 % of the samples are at or below the value
  std::uint64_t value_ns = 0;

  bool operator==(const PercentilePoint&) const = default;
};

struct LatencySummary {
  // The percentiles that are reported, where the samples allow them (Histogram::percentile).
  static constexpr std::array<double, 8> kQuantiles = {0.5,  0.75,  0.9,    0.95,
                                                       0.99, 0.999, 0.9999, 0.99999};

  std::uint64_t count = 0;
  std::uint64_t min_ns = 0;
  std::uint64_t max_ns = 0;
  double mean_ns = 0;
  std::vector<PercentilePoint> percentiles;  // of kQuantiles
  std::vector<PercentilePoint> curve;        // for drawing: eight points a halving of 1 - q

  // Nothing where there were too few samples, or q is none of kQuantiles.
  std::optional<std::uint64_t> percentile(double q) const;

  bool operator==(const LatencySummary&) const = default;
};

// `nanoseconds` holds durations in nanoseconds.
LatencySummary summarize(const Histogram& nanoseconds);

}  // namespace chatd::bench
