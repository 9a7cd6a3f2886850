#include "bench/chatbench/report/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bench/example_result.h"

namespace chatd::bench {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Comparison, ShowsBothAndTheirRatio) {
  const RunResult a = example_result();
  RunResult b = example_result();
  b.server->cpu_ns_per_delivery = *a.server->cpu_ns_per_delivery / 2;
  b.rates.sent_per_s *= 3;
  const std::string text = to_comparison(a, b);
  EXPECT_THAT(text, ContainsRegex("cpu_per_delivery +11.1 µs +5.56 µs +0.500"));
  EXPECT_THAT(text, ContainsRegex("rate +2,000/s +5,998/s +3.000"));
  EXPECT_THAT(text, ContainsRegex("join_failures +0 +0 +n/a"));
  EXPECT_THAT(text, Not(HasSubstr("p99.999"))) << "neither has it";
  EXPECT_THAT(text, Not(HasSubstr("!")));
}

TEST(Comparison, OfLikeWithLikeWarnsOfNothing) {
  EXPECT_THAT(comparison_warnings(example_result(), example_result()), IsEmpty());
}

TEST(Comparison, WarnsOfEachSettingThatDiffers) {
  RunResult b = example_result();
  b.settings.members_per_room = 1000;
  b.settings.loop = LoopKind::kClosed;
  b.settings.rate_per_s.reset();
  b.settings.gro = true;
  EXPECT_THAT(comparison_warnings(example_result(), b),
              ElementsAre("the setting differs: loop is open in A, closed in B",
                          "the setting differs: members_per_room is 10 in A, 1000 in B",
                          "the setting differs: rate_per_s is 2000.000000 in A, n/a in B",
                          "the setting differs: gro is off in A, on in B"));
}

TEST(Comparison, WarnsOfAnotherMachineAndAnotherVersion) {
  RunResult b = example_result();
  b.machine.kernel = "6.18.0";
  b.tool_version = "0.2.0";
  EXPECT_THAT(comparison_warnings(example_result(), b),
              ElementsAre("the machine differs: kernel is 6.1.0-18-amd64 in A, 6.18.0 in B",
                          "chatbench 0.1.0 wrote A, 0.2.0 wrote B"));
}

TEST(Comparison, WarnsOfInvalidRuns) {
  RunResult a = example_result();
  a.invalid_because = {"chatbench lagged."};
  EXPECT_THAT(comparison_warnings(a, example_result()),
              ElementsAre("A is INVALID: chatbench lagged."));
  EXPECT_THAT(to_comparison(example_result(), a),
              testing::StartsWith("! B is INVALID: chatbench lagged.\n\n"));
}

TEST(Comparison, OfARunWithoutAFigureHasNoRatio) {
  RunResult b = example_result();
  b.server.reset();
  EXPECT_THAT(to_comparison(example_result(), b),
              ContainsRegex("cpu_per_delivery +11.1 µs +n/a +n/a"));
}

}  // namespace
}  // namespace chatd::bench
