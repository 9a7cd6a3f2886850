#include "bench/chatbench/report/latency_summary.h"

#include <cmath>
#include <cstddef>

namespace chatd::bench {

std::optional<std::uint64_t> LatencySummary::percentile(double q) const {
  for (std::size_t i = 0; i < kReportedPercentiles.size(); ++i) {
    if (kReportedPercentiles[i].q == q) return percentiles_ns[i];
  }
  return std::nullopt;
}

LatencySummary summarize(const Histogram& nanoseconds) {
  LatencySummary summary;
  summary.count = nanoseconds.count();
  summary.never = nanoseconds.never();
  summary.min_ns = nanoseconds.min();
  summary.max_ns = nanoseconds.max();
  summary.mean_ns = nanoseconds.mean();
  for (std::size_t i = 0; i < kReportedPercentiles.size(); ++i) {
    summary.percentiles_ns[i] = nanoseconds.percentile(kReportedPercentiles[i].q);
  }
  // As many points for the slow thousandth as for the half: the tail is what the curve is for.
  constexpr int kPointsPerHalving = 8;
  constexpr int kHalvings = 40;
  for (int i = 1; i <= kHalvings * kPointsPerHalving; ++i) {
    const double q = 1 - std::exp2(-static_cast<double>(i) / kPointsPerHalving);
    const auto value = nanoseconds.percentile(q);
    if (!value || *value == kNever) break;
    summary.curve_q.push_back(q);
    summary.curve_ns.push_back(*value);
  }
  return summary;
}

}  // namespace chatd::bench
