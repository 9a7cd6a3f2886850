#include "bench/instructions/budgets.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "bench/chatbench/report/units.h"

namespace chatd::bench {
namespace {

void write_text(rapidjson::PrettyWriter<rapidjson::StringBuffer>& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

const InstructionCount* find(const std::vector<InstructionCount>& counts, std::string_view name) {
  const auto found = std::find_if(counts.begin(), counts.end(),
                                  [name](const auto& count) { return count.name == name; });
  return found == counts.end() ? nullptr : &*found;
}

BudgetVerdict judge(double budget, double counted) {
  if (counted > budget * (1 + kTolerance)) return BudgetVerdict::kOver;
  if (counted < budget * (1 - kFarBelow)) return BudgetVerdict::kFarBelow;
  if (counted < budget * (1 - kTolerance)) return BudgetVerdict::kBelow;
  return BudgetVerdict::kWithin;
}

std::string one_decimal(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", number);
  return text.data();
}

// "+23.4 %", "0.0 %", "-5.0 %"
std::string percent_of(double change) {
  const double rounded = std::round(change * 1000) / 10;
  if (rounded == 0) return "0.0 %";
  return (rounded > 0 ? "+" : "") + one_decimal(rounded) + " %";
}

std::string_view words_for(BudgetVerdict verdict) {
  switch (verdict) {
    case BudgetVerdict::kWithin:
      return "";
    case BudgetVerdict::kOver:
      return "GREW";
    case BudgetVerdict::kBelow:
      return "below budget: tighten it";
    case BudgetVerdict::kFarBelow:
      return "FAR BELOW budget: tighten it";
    case BudgetVerdict::kNoBudget:
      return "NEW, has no budget";
    case BudgetVerdict::kNotCounted:
      return "GONE, still has a budget";
  }
  return "";
}

}  // namespace

std::string to_json(const Budgets& budgets) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  writer.StartObject();
  writer.Key("compiler");
  write_text(writer, budgets.compiler);
  writer.Key("instructions_per_operation");
  writer.StartObject();
  for (const InstructionCount& budget : budgets.instructions) {
    writer.Key(budget.name.data(), static_cast<rapidjson::SizeType>(budget.name.size()));
    writer.Double(std::round(budget.per_operation * 10) / 10);
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

tl::expected<Budgets, std::string> parse_budgets(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object root, counts;
  std::string_view compiler;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      root["compiler"].get(compiler) != simdjson::SUCCESS ||
      root["instructions_per_operation"].get(counts) != simdjson::SUCCESS) {
    return tl::unexpected(std::string("these are not budgets"));
  }
  Budgets budgets;
  budgets.compiler = compiler;
  for (const auto& [name, value] : counts) {
    double budget = 0;
    if (value.get(budget) != simdjson::SUCCESS || !(budget > 0)) {
      return tl::unexpected("the budget of \"" + std::string(name) + "\" is not a number above 0");
    }
    budgets.instructions.push_back({std::string(name), budget});
  }
  return budgets;
}

std::vector<BudgetRow> compare(const Budgets& budgets,
                               const std::vector<InstructionCount>& counted) {
  std::vector<BudgetRow> rows;
  for (const InstructionCount& count : counted) {
    const InstructionCount* budget = find(budgets.instructions, count.name);
    rows.push_back({.name = count.name,
                    .budget = budget == nullptr ? 0 : budget->per_operation,
                    .counted = count.per_operation,
                    .verdict = budget == nullptr
                                   ? BudgetVerdict::kNoBudget
                                   : judge(budget->per_operation, count.per_operation)});
  }
  for (const InstructionCount& budget : budgets.instructions) {
    if (find(counted, budget.name) != nullptr) continue;
    rows.push_back({.name = budget.name,
                    .budget = budget.per_operation,
                    .counted = 0,
                    .verdict = BudgetVerdict::kNotCounted});
  }
  return rows;
}

bool is_accepted(BudgetVerdict verdict) {
  return verdict == BudgetVerdict::kWithin || verdict == BudgetVerdict::kBelow;
}

std::string to_text(const std::vector<BudgetRow>& rows) {
  constexpr std::size_t kNameWidth = 38;
  constexpr std::size_t kNumberWidth = 12;
  const auto number = [](double value) { return value > 0 ? one_decimal(value) : "-"; };
  std::string text = pad_right("instructions per operation", kNameWidth) +
                     pad_left("budget", kNumberWidth) + pad_left("counted", kNumberWidth) +
                     pad_left("change", 10) + "\n";
  for (const BudgetRow& row : rows) {
    const bool has_both = row.budget > 0 && row.counted > 0;
    const std::string change = has_both ? percent_of(row.counted / row.budget - 1) : "-";
    std::string line = pad_right(row.name, kNameWidth) +
                       pad_left(number(row.budget), kNumberWidth) +
                       pad_left(number(row.counted), kNumberWidth) + pad_left(change, 10);
    if (row.verdict != BudgetVerdict::kWithin) line.append("  ").append(words_for(row.verdict));
    text += line + "\n";
  }
  return text;
}

}  // namespace chatd::bench
