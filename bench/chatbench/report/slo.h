// A service level objective: what it may be about, and whether a run holds it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

// What an SLO may be about.
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

// A service level objective: conditions that a run must meet, as in 'p99<5ms,loss=0,rate>=10000'.
class Slo {
 public:
  // Conditions are separated by commas; each is a metric, one of < <= > >= =, and a number with a
  // unit where the metric has one. An error says what to write instead.
  static tl::expected<Slo, std::string> parse(std::string_view text);

  // A metric that the run could not measure (too few samples, no --server-pid) is not met.
  SloOutcome evaluate(const RunResult& result) const;

  // The highest percentile of the response time that a condition is about (1: the longest); 0:
  // none.
  double highest_percentile() const;

  // One metric a line, with its unit and meaning: for --help.
  static std::string describe_metrics();

 private:
  enum class Comparison { kLess, kLessOrEqual, kEqual, kGreaterOrEqual, kGreater };
  struct Condition {
    std::size_t metric;  // in the table of metrics
    Comparison comparison;
    double limit;
  };

  static tl::expected<Condition, std::string> parse_condition(std::string_view text);
  static SloCheck check(const Condition& condition, const RunResult& result);

  std::string text_;
  std::vector<Condition> conditions_;
};

}  // namespace chatd::bench
