#include "bench/chatbench/report/formats.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "bench/chatbench/report/run_result_fields.h"
#include "bench/chatbench/report/slo.h"
#include "bench/chatbench/report/units.h"

namespace chatd::bench {
namespace {

// The fields of a flat record as text.
class FieldTexts {
 public:
  template <class Field>
  void operator()(std::string_view key, const Field& field) {
    fields_.emplace_back(key, text_of(field));
  }
  const std::vector<std::pair<std::string_view, std::string>>& fields() const { return fields_; }

 private:
  static std::string text_of(const std::string& text) { return text; }
  static std::string text_of(std::uint64_t number) { return std::to_string(number); }
  static std::string text_of(double number) { return std::to_string(number); }
  static std::string text_of(bool flag) { return flag ? "on" : "off"; }
  static std::string text_of(LoopKind kind) { return kind == LoopKind::kOpen ? "open" : "closed"; }
  template <class Value>
  static std::string text_of(const std::optional<Value>& value) {
    return value ? text_of(*value) : std::string(kNotAvailable);
  }

  std::vector<std::pair<std::string_view, std::string>> fields_;
};

template <class Record>
void add_differences(std::string_view what, const Record& a, const Record& b,
                     std::vector<std::string>& warnings) {
  FieldTexts in_a, in_b;
  visit_fields(in_a, a);
  visit_fields(in_b, b);
  for (std::size_t i = 0; i < in_a.fields().size(); ++i) {
    const auto& [key, text_a] = in_a.fields()[i];
    const std::string& text_b = in_b.fields()[i].second;
    if (text_a == text_b) continue;
    warnings.push_back(std::string(what) + " differs: " + std::string(key) + " is " + text_a +
                       " in A, " + text_b + " in B");
  }
}

void add_invalid(std::string_view name, const RunResult& run, std::vector<std::string>& warnings) {
  for (const std::string& reason : run.invalid_because) {
    warnings.push_back(std::string(name) + " is INVALID: " + reason);
  }
}

std::string ratio_of(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *a == 0 || !std::isfinite(*b / *a)) return std::string(kNotAvailable);
  constexpr auto kForEver = static_cast<double>(kNever);
  if (*a >= kForEver || *b >= kForEver) return std::string(kNotAvailable);
  const double ratio = *b / *a;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ratio < 1e6 ? "%.3f" : "%.2e", ratio);
  return text.data();
}

}  // namespace

std::vector<std::string> comparison_warnings(const RunResult& a, const RunResult& b) {
  std::vector<std::string> warnings;
  add_invalid("A", a, warnings);
  add_invalid("B", b, warnings);
  add_differences("the setting", a.settings, b.settings, warnings);
  add_differences("the machine", a.machine, b.machine, warnings);
  if (a.tool_version != b.tool_version) {
    warnings.push_back("chatbench " + a.tool_version + " wrote A, " + b.tool_version + " wrote B");
  }
  return warnings;
}

std::string to_comparison(const RunResult& a, const RunResult& b) {
  constexpr std::size_t kNameWidth = 18;
  constexpr std::size_t kFigureWidth = 14;
  std::string text;
  for (const std::string& warning : comparison_warnings(a, b)) text += "! " + warning + "\n";
  if (!text.empty()) text += "\n";

  text += pad_right("", kNameWidth) + pad_left("A", kFigureWidth) + pad_left("B", kFigureWidth) +
          pad_left("B/A", 10) + "\n";
  for (const SloMetric& metric : slo_metrics()) {
    const auto in_a = metric.value(a);
    const auto in_b = metric.value(b);
    if (!in_a && !in_b) continue;
    const auto format = [&metric](double value) { return format_metric(metric.unit, value); };
    text += pad_right(metric.name, kNameWidth) +
            pad_left(format_or_na(in_a, format), kFigureWidth) +
            pad_left(format_or_na(in_b, format), kFigureWidth) +
            pad_left(ratio_of(in_a, in_b), 10) + "\n";
  }
  return text;
}

}  // namespace chatd::bench
