// The gate's judgement on counts made up for the purpose: what grew fails, and so does a budget
// that guards nothing.
#include "bench/instructions/budgets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/instructions/measurement.h"

namespace chatd::bench {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const Budgets kBudgets{.compiler = "GNU 12.2.0", .instructions = {{"parse", 1000}, {"send", 200}}};

BudgetVerdict verdict_for(double counted) {
  return compare(kBudgets, {{"parse", counted}, {"send", 200}}).at(0).verdict;
}

bool passes(const std::vector<BudgetRow>& rows) {
  return std::all_of(rows.begin(), rows.end(),
                     [](const BudgetRow& row) { return is_accepted(row.verdict); });
}

TEST(InstructionBudgets, FivePercentEitherWayAreWithin) {
  for (const double counted : {950.0, 999.9, 1000.0, 1050.0}) {
    EXPECT_EQ(verdict_for(counted), BudgetVerdict::kWithin) << counted;
  }
}

TEST(InstructionBudgets, MoreThanFivePercentOverFails) {
  EXPECT_EQ(verdict_for(1050.1), BudgetVerdict::kOver);
  const auto rows = compare(kBudgets, {{"parse", 1234.5}, {"send", 200}});
  EXPECT_FALSE(passes(rows));
  const std::string text = to_text(rows);
  EXPECT_THAT(text, ContainsRegex("parse +1000.0 +1234.5 +\\+23.[45] %  GREW\n"));
  EXPECT_THAT(text, ContainsRegex("send +200.0 +200.0 +0.0 %\n"));
}

TEST(InstructionBudgets, BelowIsToldAndFarBelowFails) {
  EXPECT_EQ(verdict_for(949.9), BudgetVerdict::kBelow);
  EXPECT_EQ(verdict_for(800), BudgetVerdict::kBelow);
  EXPECT_EQ(verdict_for(799.9), BudgetVerdict::kFarBelow);
  EXPECT_TRUE(passes(compare(kBudgets, {{"parse", 900}, {"send", 200}})));
  EXPECT_FALSE(passes(compare(kBudgets, {{"parse", 700}, {"send", 200}})));
  EXPECT_THAT(to_text(compare(kBudgets, {{"parse", 900}})),
              ContainsRegex("parse +1000.0 +900.0 +-10.0 %  below budget: tighten it\n"));
}

TEST(InstructionBudgets, EachPathHasABudgetAndEachBudgetAPath) {
  const auto more = compare(kBudgets, {{"parse", 1000}, {"send", 200}, {"new", 7}});
  EXPECT_FALSE(passes(more));
  EXPECT_EQ(more.at(2).verdict, BudgetVerdict::kNoBudget);
  EXPECT_THAT(to_text(more), ContainsRegex("new +- +7.0 +-  NEW"));
  const auto fewer = compare(kBudgets, {{"send", 200}});
  EXPECT_FALSE(passes(fewer));
  EXPECT_EQ(fewer.at(1).verdict, BudgetVerdict::kNotCounted);
  EXPECT_THAT(to_text(fewer), ContainsRegex("parse +1000.0 +- +-  GONE"));
}

TEST(InstructionBudgets, AreReadAsTheyWereWritten) {
  const auto read = parse_budgets(to_json(kBudgets));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, kBudgets);
}

TEST(InstructionBudgets, ThatAreNoneAreRefused) {
  for (const char* json : {"", "{}", R"({"compiler": "GNU"})",
                           R"({"compiler": 1, "instructions_per_operation": {}})"}) {
    EXPECT_FALSE(parse_budgets(json)) << json;
  }
  for (const char* budget : {"0", "-1", "\"1\"", "null"}) {
    const auto read = parse_budgets(R"({"compiler": "GNU", "instructions_per_operation": {"a": )" +
                                    std::string(budget) + "}}");
    ASSERT_FALSE(read) << budget;
    EXPECT_THAT(read.error(), HasSubstr("the budget of \"a\" is not a number above 0"));
  }
}

TEST(Callgrind, CountsAreReadFromItsFile) {
  const auto count = parse_callgrind(
      "# callgrind format\nversion: 1\npid: 1\n\ndesc: I1 cache:\n"
      "desc: Trigger: Client Request: message: parse x and check x2000\n\npositions: line\n"
      "events: Ir\nsummary: 3528034\n\nfn=(1) f\n1 2\n\ntotals: 3528034\n");
  ASSERT_TRUE(count);
  EXPECT_EQ(count->name, "message: parse x and check");
  EXPECT_DOUBLE_EQ(count->per_operation, 1764.017);
}

TEST(Callgrind, AFileWithoutACountIsNone) {
  for (const char* text : {"", "summary: 5\n", "desc: Trigger: Client Request: a x2\n",
                           "desc: Trigger: Client Request: a\nsummary: 5\n",
                           "desc: Trigger: Client Request: a x0\nsummary: 5\n",
                           "desc: Trigger: Client Request: a x2\nsummary: many\n",
                           "desc: Trigger: Program termination\nsummary: 5\n"}) {
    EXPECT_FALSE(parse_callgrind(text)) << text;
  }
}

TEST(Callgrind, AProgramThatFailsIsAnError) {
  const auto counts = count_instructions("/bin/false");
  ASSERT_FALSE(counts);
  EXPECT_THAT(counts.error(), HasSubstr("/bin/false has failed under valgrind"));
}

}  // namespace
}  // namespace chatd::bench
