#include "bench/chatbench/report/slo.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "bench/chatbench/report/units.h"

namespace chatd::bench {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::string metric_names() {
  std::string names;
  for (const SloMetric& metric : slo_metrics()) {
    if (!names.empty()) names += ", ";
    names += metric.name;
  }
  return names;
}

}  // namespace

tl::expected<Slo, std::string> Slo::parse(std::string_view text) {
  Slo slo;
  slo.text_ = trim(text);
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    auto condition = parse_condition(trim(rest.substr(0, comma)));
    if (!condition) return tl::unexpected(std::move(condition.error()));
    slo.conditions_.push_back(*condition);
    if (comma == std::string_view::npos) return slo;
    rest.remove_prefix(comma + 1);
  }
}

tl::expected<Slo::Condition, std::string> Slo::parse_condition(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kOperators = {{
      {"<", Comparison::kLess},
      {"<=", Comparison::kLessOrEqual},
      {"=", Comparison::kEqual},
      {"==", Comparison::kEqual},
      {">=", Comparison::kGreaterOrEqual},
      {">", Comparison::kGreater},
  }};
  constexpr std::string_view kOperatorBytes = "<=>!";
  const std::size_t begin = std::min(text.find_first_of(kOperatorBytes), text.size());
  const std::size_t end = std::min(text.find_first_not_of(kOperatorBytes, begin), text.size());
  const std::string_view name = trim(text.substr(0, begin));
  const std::string_view sign = text.substr(begin, end - begin);

  const auto metrics = slo_metrics();
  const auto metric = std::find_if(metrics.begin(), metrics.end(),
                                   [name](const SloMetric& known) { return known.name == name; });
  if (metric == metrics.end()) {
    return tl::unexpected((name.empty() ? "an SLO condition begins with a metric"
                                        : "unknown metric " + quoted(name)) +
                          "; there are: " + metric_names());
  }
  const auto comparison = std::find_if(kOperators.begin(), kOperators.end(),
                                       [sign](const auto& known) { return known.first == sign; });
  if (comparison == kOperators.end()) {
    return tl::unexpected("after " + quoted(name) + " comes one of < <= = >= > and a value, not " +
                          quoted(text.substr(begin)));
  }
  const auto limit = parse_limit(metric->unit, trim(text.substr(end)));
  if (!limit) return tl::unexpected(std::string(name) + ": " + limit.error());
  return Condition{static_cast<std::size_t>(metric - metrics.begin()), comparison->second, *limit};
}

SloOutcome Slo::evaluate(const RunResult& result) const {
  SloOutcome outcome{text_, {}};
  for (const Condition& condition : conditions_) outcome.checks.push_back(check(condition, result));
  return outcome;
}

double Slo::highest_percentile() const {
  double highest = 0;
  for (const Condition& condition : conditions_) {
    highest = std::max(highest, slo_metrics()[condition.metric].percentile.value_or(0));
  }
  return highest;
}

SloCheck Slo::check(const Condition& condition, const RunResult& result) {
  static constexpr std::array<std::string_view, 5> kSigns = {"<", "<=", "=", ">=", ">"};
  const SloMetric& metric = slo_metrics()[condition.metric];
  SloCheck outcome;
  outcome.condition = std::string(metric.name) + " " +
                      std::string(kSigns[static_cast<std::size_t>(condition.comparison)]) + " " +
                      format_metric(metric.unit, condition.limit);
  const auto value = metric.value(result);
  if (!value) {
    outcome.actual = "not measured";
    return outcome;
  }
  outcome.actual = format_metric(metric.unit, *value);
  switch (condition.comparison) {
    case Comparison::kLess:
      outcome.is_met = *value < condition.limit;
      break;
    case Comparison::kLessOrEqual:
      outcome.is_met = *value <= condition.limit;
      break;
    case Comparison::kEqual:
      outcome.is_met = *value == condition.limit;
      break;
    case Comparison::kGreaterOrEqual:
      outcome.is_met = *value >= condition.limit;
      break;
    case Comparison::kGreater:
      outcome.is_met = *value > condition.limit;
      break;
  }
  return outcome;
}

std::string Slo::describe_metrics() {
  static constexpr std::array<std::string_view, 5> kUnits = {"duration", "share", "number",
                                                             "per second", "bytes"};
  std::string text;
  for (const SloMetric& metric : slo_metrics()) {
    text += "  " + pad_right(metric.name, 17) +
            pad_right(kUnits[static_cast<std::size_t>(metric.unit)], 11) +
            std::string(metric.meaning) + "\n";
  }
  return text;
}

}  // namespace chatd::bench
