#include "bench/chatbench/workload/distributions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace chatd::bench {
namespace {

constexpr int kDraws = 100'000;
constexpr double kTolerance = kDraws * 0.01;

std::map<std::uint32_t, int> draw(std::string_view text) {
  const auto sizes = SizeDistribution::parse(text, 42, 4000);
  EXPECT_TRUE(sizes) << sizes.error();
  std::map<std::uint32_t, int> counts;
  Random random(7);
  for (int i = 0; sizes && i < kDraws; ++i) ++counts[sizes->next(random)];
  return counts;
}

TEST(SizeDistribution, Fixed) {
  EXPECT_EQ(draw("128"), (std::map<std::uint32_t, int>{{128, kDraws}}));
}

TEST(SizeDistribution, ARangeIsEvenAndIncludesBothEnds) {
  const auto counts = draw("64-67");
  ASSERT_EQ(counts.size(), 4u);
  EXPECT_EQ(counts.begin()->first, 64u);
  for (const auto& [size, count] : counts) EXPECT_NEAR(count, kDraws * 0.25, kTolerance) << size;
}

TEST(SizeDistribution, WeightsAreKept) {
  const auto counts = draw("64:70,512:20,1400:10");
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts.at(64), kDraws * 0.7, kTolerance);
  EXPECT_NEAR(counts.at(512), kDraws * 0.2, kTolerance);
  EXPECT_NEAR(counts.at(1400), kDraws * 0.1, kTolerance);
}

TEST(SizeDistribution, RangesMayHaveWeights) {
  const auto counts = draw("64-65:3,1400");
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts.at(64) + counts.at(65), kDraws * 0.75, kTolerance);
}

TEST(SizeDistribution, TellsTheLargest) {
  EXPECT_EQ(SizeDistribution::parse("64:70,1400:1,512:20", 42, 4000)->largest(), 1400u);
}

TEST(SizeDistribution, RefusesWhatIsNone) {
  for (const char* text : {"", "x", "128b", "-", "64-", "-64", "512-64", "64:", ":5", "64:x", "64,",
                           ",64", "64;65", "64:1:2", "1e3", "64 ", "64:0", "64:2000000"}) {
    EXPECT_FALSE(SizeDistribution::parse(text, 42, 4000)) << text;
  }
}

TEST(SizeDistribution, NamesTheBounds) {
  using testing::HasSubstr;
  for (const char* text : {"41", "4001", "41-64", "64-4001", "64:1,4001:1"}) {
    const auto sizes = SizeDistribution::parse(text, 42, 4000);
    ASSERT_FALSE(sizes) << text;
    EXPECT_THAT(sizes.error(), HasSubstr("42 to 4000 bytes")) << text;
    EXPECT_THAT(sizes.error(), HasSubstr(text));
  }
}

}  // namespace
}  // namespace chatd::bench
