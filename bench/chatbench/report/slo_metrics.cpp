#include "bench/chatbench/report/slo.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "bench/chatbench/report/units.h"
#include "core/base/time.h"

namespace chatd::bench {
namespace {

std::optional<double> number(const std::optional<std::uint64_t>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}
double number(std::uint64_t value) {
  return static_cast<double>(value);
}

// Mean and maximum of nothing are nothing; where a delivery never came, they are not reached.
std::optional<double> if_any(const LatencySummary& latency, double value) {
  if (latency.count == 0) return std::nullopt;
  return latency.never == 0 ? value : static_cast<double>(kNever);
}

std::optional<double> loss(const RunResult& result) {
  if (result.totals.expected_deliveries == 0) return std::nullopt;
  return number(result.totals.lost) / number(result.totals.expected_deliveries);
}

template <std::size_t kIndex>
std::optional<double> response_percentile(const RunResult& result) {
  return number(result.response_time.percentiles_ns[kIndex]);
}

template <std::size_t kIndex>
constexpr SloMetric percentile_metric(std::string_view meaning) {
  const ReportedPercentile& reported = kReportedPercentiles[kIndex];
  return {reported.name, MetricUnit::kDuration, meaning, response_percentile<kIndex>, reported.q};
}

using enum MetricUnit;
constexpr std::array<SloMetric, 22> kMetrics = {{
    percentile_metric<0>("median response time"),
    percentile_metric<1>("75th percentile of the response time"),
    percentile_metric<2>("90th percentile"),
    percentile_metric<3>("95th percentile"),
    percentile_metric<4>("99th percentile"),
    percentile_metric<5>("99.9th percentile"),
    percentile_metric<6>("99.99th percentile"),
    percentile_metric<7>("99.999th percentile"),
    {"max", kDuration, "longest response time",
     [](const RunResult& r) { return if_any(r.response_time, number(r.response_time.max_ns)); }, 1},
    {"mean", kDuration, "mean response time",
     [](const RunResult& r) { return if_any(r.response_time, r.response_time.mean_ns); }},
    {"lag_p99", kDuration, "99th percentile of the send lag",
     [](const RunResult& r) { return number(r.send_lag.percentile(0.99)); }},
    {"loss", kShare, "share of the expected deliveries that were lost", loss},
    {"lost", kCount, "deliveries lost",
     [](const RunResult& r) { return std::optional(number(r.totals.lost)); }},
    {"duplicated", kCount, "deliveries that came twice",
     [](const RunResult& r) { return std::optional(number(r.totals.duplicated)); }},
    {"reordered", kCount, "deliveries that came after a later one",
     [](const RunResult& r) { return std::optional(number(r.totals.reordered)); }},
    {"late", kCount, "deliveries that came after the measured time",
     [](const RunResult& r) { return std::optional(number(r.totals.late)); }},
    {"rate", kPerSecond, "messages sent per second",
     [](const RunResult& r) { return std::optional(r.rates.sent_per_s); }},
    {"deliveries", kPerSecond, "deliveries per second",
     [](const RunResult& r) { return std::optional(r.rates.delivered_per_s); }},
    {"join_rate", kPerSecond, "members joined per second",
     [](const RunResult& r) { return std::optional(r.joins.rate_per_s); }},
    {"join_failures", kCount, "members that could not join",
     [](const RunResult& r) { return std::optional(number(r.joins.failed)); }},
    {"cpu_per_delivery", kDuration, "server CPU per delivery (--server-pid)",
     [](const RunResult& r) {
       return r.server ? r.server->cpu_ns_per_delivery : std::optional<double>();
     }},
    {"bytes_per_member", kBytes, "server memory per member (--server-pid)",
     [](const RunResult& r) {
       return r.server ? r.server->resident_bytes_per_member : std::optional<double>();
     }},
}};

struct Factor {
  std::string_view name;
  double factor;
};

// What a limit may be at most: 11 days in nanoseconds. A greater one would be met by everything.
constexpr double kHighestLimit = 1e15;

// "5ms" with {"ms", 1e6} is 5e6. Nothing when it is not a finite number, negative, too large, or of
// another unit.
std::optional<double> number_with_unit(std::string_view text, std::span<const Factor> units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Factor& known : units) {
    if (unit != known.name || value * known.factor > kHighestLimit) continue;
    return value * known.factor;
  }
  return std::nullopt;
}

// Not plain seconds: who writes p99<5 probably means milliseconds.
std::optional<double> limit_ns(std::string_view text) {
  const bool has_unit = !text.empty() && text.find_last_of("0123456789.") + 1 < text.size();
  const auto ns = parse_duration_ns(text);
  if (!has_unit || !ns || *ns > kHighestLimit) return std::nullopt;
  return ns;
}

}  // namespace

std::span<const SloMetric> slo_metrics() {
  return kMetrics;
}

tl::expected<double, std::string> parse_limit(MetricUnit unit, std::string_view text) {
  static constexpr std::array<Factor, 2> kShares = {{{"", 1}, {"%", 0.01}}};
  static constexpr std::array<Factor, 1> kBare = {{{"", 1}}};
  const auto refuse = [text](const char* expected) {
    return tl::unexpected("'" + std::string(text) + "' is " + expected);
  };
  switch (unit) {
    case kDuration:
      if (const auto value = limit_ns(text)) return *value;
      return refuse(
          "not a duration of at most 11 days: write a number and a unit, as in 500us, 5ms or 1s");
    case kShare: {
      const auto value = number_with_unit(text, kShares);
      if (value && *value <= 1) return *value;
      return refuse("not a share: write 0, 0.001 or 0.1% (for a number of deliveries: lost)");
    }
    case kCount:
    case kPerSecond:
    case kBytes:
      break;
  }
  if (const auto value = number_with_unit(text, kBare)) return *value;
  return refuse("not a number up to 1e15: write it without a unit, as in 10000");
}

std::string format_metric(MetricUnit unit, double value) {
  switch (unit) {
    case kDuration:
      return format_duration_ns(value);
    case kShare:
      return format_percent(value);
    case kCount:
      // A file of results may hold what no run has counted.
      return value < 1e18 ? format_count(static_cast<std::uint64_t>(std::llround(value)))
                          : format_count(std::numeric_limits<std::uint64_t>::max());
    case kPerSecond:
      return format_per_second(value);
    case kBytes:
      return format_bytes(value);
  }
  return {};
}

}  // namespace chatd::bench
