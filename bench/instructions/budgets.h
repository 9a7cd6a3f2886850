// How many instructions each hot path may take: perf/instructions.json, checked in.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/instructions/measurement.h"

namespace chatd::bench {

struct Budgets {
  std::string compiler;  // that the budgets were counted with; another one counts otherwise
  std::vector<InstructionCount> instructions;

  bool operator==(const Budgets&) const = default;
};

std::string to_json(const Budgets& budgets);
tl::expected<Budgets, std::string> parse_budgets(std::string_view json);

enum class BudgetVerdict {
  kWithin,
  kOver,       // by more than kTolerance
  kBelow,      // by more than kTolerance: the budget could be tightened
  kFarBelow,   // so far that the budget no longer guards anything
  kNoBudget,   // a new path
  kNotCounted  // a budget without a path
};

struct BudgetRow {
  std::string name;
  double budget = 0;
  double counted = 0;
  BudgetVerdict verdict = BudgetVerdict::kWithin;
};

inline constexpr double kTolerance = 0.05;
inline constexpr double kFarBelow = 0.20;

// In the order of what was counted; budgets without a path come last.
std::vector<BudgetRow> compare(const Budgets& budgets,
                               const std::vector<InstructionCount>& counted);

// Within, or below by no more than kFarBelow.
bool is_accepted(BudgetVerdict verdict);

// A table: name, budget, counted, change, verdict.
std::string to_text(const std::vector<BudgetRow>& rows);

}  // namespace chatd::bench
