// An SLO as people write it, against a run whose figures are known.
#include "bench/chatbench/report/slo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/bench/example_result.h"

namespace chatd::bench {
namespace {

using testing::HasSubstr;

bool meets(const std::string& text, const RunResult& result) {
  const auto slo = Slo::parse(text);
  EXPECT_TRUE(slo) << text << ": " << slo.error();
  return slo && slo->evaluate(result).is_met();
}

std::string error_of(const std::string& text) {
  const auto slo = Slo::parse(text);
  EXPECT_FALSE(slo) << text;
  return slo ? "" : slo.error();
}

class SloTest : public testing::Test {
 protected:
  SloTest() {
    result_.response_time.percentiles_ns[4] = 5'000'000;  // p99
    result_.totals.lost = 36;                             // of 36,000: 0.1 %
    result_.rates.sent_per_s = 10'000;
  }
  RunResult result_ = example_result();
};

TEST_F(SloTest, ComparesAsTheOperatorSays) {
  EXPECT_TRUE(meets("p99<5.001ms", result_));
  EXPECT_FALSE(meets("p99<5ms", result_));
  EXPECT_TRUE(meets("p99<=5ms", result_));
  EXPECT_FALSE(meets("p99<=4999us", result_));
  EXPECT_TRUE(meets("p99=5ms", result_));
  EXPECT_TRUE(meets("p99==5000us", result_));
  EXPECT_FALSE(meets("p99=5001us", result_));
  EXPECT_TRUE(meets("rate>=10000", result_));
  EXPECT_FALSE(meets("rate>10000", result_));
  EXPECT_TRUE(meets("rate>9999.5", result_));
}

TEST_F(SloTest, KnowsUnits) {
  EXPECT_TRUE(meets("p99=5000000ns", result_));
  EXPECT_TRUE(meets("p99=5000µs", result_));
  EXPECT_TRUE(meets("p99=0.005s", result_));
  EXPECT_TRUE(meets("p99<1e1ms", result_));
  EXPECT_TRUE(meets("loss<=0.1%", result_));
  EXPECT_TRUE(meets("loss<=0.001", result_));
  EXPECT_FALSE(meets("loss<0.1%", result_));
  EXPECT_TRUE(meets("lost=36", result_));
}

TEST_F(SloTest, AllConditionsMustHold) {
  EXPECT_TRUE(meets(" p99 <= 5 ms , rate >= 10000 ", result_));
  EXPECT_FALSE(meets("p99<=5ms,loss=0", result_));
  EXPECT_FALSE(meets("loss=0,p99<=5ms", result_));
  const SloOutcome outcome = Slo::parse("p99<=5ms,loss=0")->evaluate(result_);
  EXPECT_EQ(outcome.text, "p99<=5ms,loss=0");
  ASSERT_EQ(outcome.checks.size(), 2u);
  EXPECT_EQ(outcome.checks[0],
            (SloCheck{.condition = "p99 <= 5.00 ms", .actual = "5.00 ms", .is_met = true}));
  EXPECT_EQ(outcome.checks[1],
            (SloCheck{.condition = "loss = 0.00 %", .actual = "0.10 %", .is_met = false}));
}

TEST_F(SloTest, WhatWasNotMeasuredIsMissed) {
  result_.response_time.percentiles_ns[4].reset();
  result_.server.reset();
  result_.totals.expected_deliveries = 0;
  for (const char* text : {"p99<1s", "cpu_per_delivery<1s", "loss=0"}) {
    const SloOutcome outcome = Slo::parse(text)->evaluate(result_);
    EXPECT_FALSE(outcome.is_met()) << text;
    EXPECT_EQ(outcome.checks[0].actual, "not measured") << text;
  }
  result_.response_time.count = 0;
  EXPECT_FALSE(meets("max<1s", result_));
}

// A server that died in the middle was quick until then.
TEST_F(SloTest, WhatNeverCameIsLaterThanAnyLimit) {
  Histogram response;
  for (int i = 0; i < 54'300; ++i) response.record(1'000'000);
  response.record_never(45'700);
  result_.response_time = summarize(response);
  EXPECT_TRUE(meets("p50<2ms", result_));
  for (const char* text :
       {"p75<2ms", "p99<11s", "p99<=1000000s", "max<1000000s", "mean<1000000s"}) {
    const SloOutcome outcome = Slo::parse(text)->evaluate(result_);
    EXPECT_FALSE(outcome.is_met()) << text;
    EXPECT_EQ(outcome.checks[0].actual, "never") << text;
  }
}

TEST_F(SloTest, KnowsTheHighestPercentileThatItIsAbout) {
  EXPECT_EQ(Slo::parse("loss=0,rate>1")->highest_percentile(), 0);
  EXPECT_EQ(Slo::parse("p99.9<5ms,p50<1ms")->highest_percentile(), 0.999);
  EXPECT_EQ(Slo::parse("max<5ms,p50<1ms")->highest_percentile(), 1);
}

TEST_F(SloTest, EveryMetricReadsItsOwnField) {
  // A value of its own for each, so that a metric that read its neighbour's would show.
  const RunResult run = example_result();
  double previous = -1;
  for (const SloMetric& metric : slo_metrics()) {
    if (metric.name == "join_failures") continue;  // 0 there
    const auto value = metric.value(run);
    if (metric.name == "p99.99" || metric.name == "p99.999") {
      EXPECT_FALSE(value) << metric.name;
      continue;
    }
    ASSERT_TRUE(value) << metric.name;
    EXPECT_NE(*value, previous) << metric.name;
    previous = *value;
  }
  EXPECT_TRUE(meets("duplicated=1,reordered=3,late=4,join_failures=0,join_rate=20000", run));
  EXPECT_TRUE(meets("cpu_per_delivery=11113ns,bytes_per_member=5242.88,deliveries=17996.5", run));
}

TEST(Slo, AnUnknownMetricIsAnErrorThatListsTheKnown) {
  const std::string error = error_of("p98<5ms");
  EXPECT_THAT(error, HasSubstr("unknown metric 'p98'"));
  for (const SloMetric& metric : slo_metrics()) {
    EXPECT_THAT(error, HasSubstr(std::string(metric.name)));
  }
}

TEST(Slo, WhatIsNoConditionIsRefusedWithAnExample) {
  EXPECT_THAT(error_of(""), HasSubstr("begins with a metric"));
  EXPECT_THAT(error_of("p99<5ms,"), HasSubstr("begins with a metric"));
  EXPECT_THAT(error_of("<5ms"), HasSubstr("begins with a metric"));
  EXPECT_THAT(error_of("p99"), HasSubstr("after 'p99' comes one of"));
  EXPECT_THAT(error_of("p99!=5ms"), HasSubstr("not '!=5ms'"));
  EXPECT_THAT(error_of("p99=<5ms"), HasSubstr("not '=<5ms'"));
  EXPECT_THAT(error_of("p99<5"), HasSubstr("as in 500us, 5ms or 1s"));
  EXPECT_THAT(error_of("p99<"), HasSubstr("not a duration"));
  EXPECT_THAT(error_of("p99<-5ms"), HasSubstr("not a duration"));
  EXPECT_THAT(error_of("p99<infms"), HasSubstr("not a duration"));
  EXPECT_THAT(error_of("p99<5minutes"), HasSubstr("not a duration"));
  for (const char* text : {"p99<nanms", "p99<1e400ms", "p99<1e308s", "p99<-0ms", "p99<ms"}) {
    EXPECT_THAT(error_of(text), HasSubstr("not a duration")) << text;
  }
  for (const char* text : {"lost<1e308", "rate>nan", "rate>inf", "rate>-0", "lost<"}) {
    EXPECT_THAT(error_of(text), HasSubstr("not a number")) << text;
  }
  EXPECT_THAT(error_of("loss<nan"), HasSubstr("not a share"));
  EXPECT_THAT(error_of("loss<10"), HasSubstr("for a number of deliveries: lost"));
  EXPECT_THAT(error_of("loss<5ms"), HasSubstr("not a share"));
  EXPECT_THAT(error_of("rate>10k"), HasSubstr("without a unit"));
}

TEST(Slo, DescribesEachMetric) {
  for (const SloMetric& metric : slo_metrics()) {
    EXPECT_THAT(Slo::describe_metrics(), HasSubstr("  " + std::string(metric.name) + " "));
  }
}

}  // namespace
}  // namespace chatd::bench
