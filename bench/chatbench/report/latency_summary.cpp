#include "bench/chatbench/report/latency_summary.h"

#include <cmath>

namespace chatd::bench {

std::optional<std::uint64_t> LatencySummary::percentile(double q) const {
  for (const PercentilePoint& point : percentiles) {
    if (point.q == q) return point.value_ns;
  }
  return std::nullopt;
}

LatencySummary summarize(const Histogram& nanoseconds) {
  LatencySummary summary{.count = nanoseconds.count(),
                         .min_ns = nanoseconds.min(),
                         .max_ns = nanoseconds.max(),
                         .mean_ns = nanoseconds.mean(),
                         .percentiles = {},
                         .curve = {}};
  for (const double q : LatencySummary::kQuantiles) {
    if (const auto value = nanoseconds.percentile(q)) summary.percentiles.push_back({q, *value});
  }
  // As many points for the slow thousandth as for the half: the tail is what the curve is for.
  constexpr int kPointsPerHalving = 8;
  constexpr int kHalvings = 40;
  for (int i = 1; i <= kHalvings * kPointsPerHalving; ++i) {
    const double q = 1 - std::exp2(-static_cast<double>(i) / kPointsPerHalving);
    const auto value = nanoseconds.percentile(q);
    if (!value) break;
    summary.curve.push_back({q, *value});
  }
  return summary;
}

}  // namespace chatd::bench
