#include "server/shard/loop_timer.h"

#include <gtest/gtest.h>

#include <numeric>

namespace chatd::test {
namespace {

constexpr TimeNs kMs = 1'000'000;

class TurnMeterTest : public testing::Test {
 protected:
  void turn(TimeNs begin_ns, std::uint64_t datagrams, bool is_done, TimeNs end_ns) {
    meter_.begin(begin_ns);
    counters_.add(Counter::kDatagramsReceived, datagrams);
    meter_.end(is_done, [&] {
      ++clock_reads_;
      return end_ns;
    });
  }
  // How many values have been counted.
  static std::uint64_t count(const Histogram& distribution) {
    const auto& counts = distribution.buckets.counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }

  Counters counters_;
  RelayHistograms histograms_;
  LoopTimer meter_{counters_, histograms_};
  int clock_reads_ = 0;
};

TEST_F(TurnMeterTest, ATurnWithoutDatagramsCostsNothing) {
  turn(1 * kMs, 0, true, 2 * kMs);
  EXPECT_EQ(clock_reads_, 0);
  EXPECT_EQ(count(histograms_.turn_us), 0u);
  EXPECT_EQ(count(histograms_.latency_us), 0u);
}

TEST_F(TurnMeterTest, EachDatagramCountsWithItsTurn) {
  turn(1 * kMs, 3, true, 2 * kMs);
  turn(5 * kMs, 1, true, 9 * kMs);
  EXPECT_EQ(clock_reads_, 2);
  EXPECT_EQ(count(histograms_.turn_datagrams), 2u);
  EXPECT_EQ(histograms_.turn_datagrams.sum, 4u);
  EXPECT_EQ(count(histograms_.turn_us), 2u);
  EXPECT_EQ(histograms_.turn_us.sum, 5000u);
  EXPECT_EQ(count(histograms_.latency_us), 4u);
  EXPECT_EQ(histograms_.latency_us.sum, 3u * 1000 + 4000);
}

TEST_F(TurnMeterTest, WhatWaitsForALaterTurnCountsUntilThatIsOver) {
  turn(1 * kMs, 2, false, 2 * kMs);
  EXPECT_EQ(count(histograms_.latency_us), 0u);
  turn(3 * kMs, 1, false, 4 * kMs);
  turn(5 * kMs, 0, true, 6 * kMs);  // took nothing in, and sent the rest
  EXPECT_EQ(count(histograms_.latency_us), 3u);
  EXPECT_EQ(histograms_.latency_us.sum, 3u * 5000);
  EXPECT_EQ(count(histograms_.turn_us), 3u);
  EXPECT_EQ(count(histograms_.turn_datagrams), 2u);
}

TEST_F(TurnMeterTest, AShardThatNeverCatchesUpIsSeenAfterASecond) {
  turn(0, 5, false, 500 * kMs);
  EXPECT_EQ(count(histograms_.latency_us), 0u);
  turn(600 * kMs, 5, false, 1000 * kMs);
  EXPECT_EQ(count(histograms_.latency_us), 10u);
  EXPECT_EQ(histograms_.latency_us.sum, 10u * 1'000'000);
}

}  // namespace
}  // namespace chatd::test
