// What an SLO may be about.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

enum class MetricUnit {
  kDuration,   // ns, us, ms or s; a unit must be given
  kShare,      // 0.001 or 0.1%
  kCount,      // a bare number
  kPerSecond,  // a bare number
  kBytes,      // a bare number
};

struct SloMetric {
  std::string_view name;
  MetricUnit unit;
  std::string_view meaning;
  // In nanoseconds, shares of 1, or as it is; nothing when the run has no such figure.
  std::optional<double> (*value)(const RunResult& result);
  // Of the response time, which percentile it is (1: the longest); nothing for another metric.
  std::optional<double> percentile = {};
};

std::span<const SloMetric> slo_metrics();

// A limit in the metric's unit. The error is a sentence with an example.
tl::expected<double, std::string> parse_limit(MetricUnit unit, std::string_view text);

std::string format_metric(MetricUnit unit, double value);

}  // namespace chatd::bench
