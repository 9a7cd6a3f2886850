// What a run keeps of a histogram: a few hundred bytes that can be written, read back and compared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/chatbench/stats/histogram.h"

namespace chatd::bench {

// A percentile that is reported: p99.9 is named so by people and p99_9_ns in JSON.
struct ReportedPercentile {
  double q;
  std::string_view name;
  std::string_view key;
};
inline constexpr std::array<ReportedPercentile, 8> kReportedPercentiles = {{
    {0.5, "p50", "p50_ns"},
    {0.75, "p75", "p75_ns"},
    {0.9, "p90", "p90_ns"},
    {0.95, "p95", "p95_ns"},
    {0.99, "p99", "p99_ns"},
    {0.999, "p99.9", "p99_9_ns"},
    {0.9999, "p99.99", "p99_99_ns"},
    {0.99999, "p99.999", "p99_999_ns"},
}};

struct LatencySummary {
  std::uint64_t count = 0;  // those that never came included
  std::uint64_t never = 0;  // of them: infinitely late, kNever
  std::uint64_t min_ns = 0;
  std::uint64_t max_ns = 0;
  double mean_ns = 0;  // infinite when some never came
  // In the order of kReportedPercentiles; nothing where there were too few samples
  // (Histogram::percentile), kNever where they are those that never came.
  std::array<std::optional<std::uint64_t>, kReportedPercentiles.size()> percentiles_ns;

  // For drawing: curve_ns[i] is the value that a share curve_q[i] of the samples does not exceed,
  // with eight points for each halving of 1 - q, as far as there is one.
  std::vector<double> curve_q;
  std::vector<std::uint64_t> curve_ns;

  // Nothing where there were too few samples, or q is not in kReportedPercentiles.
  std::optional<std::uint64_t> percentile(double q) const;

  bool operator==(const LatencySummary&) const = default;
};

// `nanoseconds` holds durations in nanoseconds.
LatencySummary summarize(const Histogram& nanoseconds);

}  // namespace chatd::bench
