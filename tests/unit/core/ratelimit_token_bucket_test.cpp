// How much may be taken, and when.
#include "core/ratelimit/token_bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>

namespace chatd {
namespace {

constexpr TimeMs kStartMs = 1'000'000;

std::uint64_t drain(TokenBucket& bucket, TimeMs now_ms, const TokenRate& rate) {
  std::uint64_t taken = 0;
  while (taken < 10'000'000 && bucket.take(now_ms, rate)) ++taken;
  return taken;
}

TEST(TokenBucket, IsFullAtFirstAndHoldsABurst) {
  constexpr TokenRate kRate{.units = 500, .burst_ms = 2'000};
  TokenBucket bucket;
  EXPECT_TRUE(bucket.is_full(kStartMs));
  EXPECT_EQ(drain(bucket, kStartMs, kRate), 1'000u);
  EXPECT_FALSE(bucket.is_full(kStartMs));
  EXPECT_EQ(drain(bucket, kStartMs + 1, kRate), 0u);
  EXPECT_EQ(drain(bucket, kStartMs + 2, kRate), 1u);
  EXPECT_EQ(drain(bucket, kStartMs + 1'002, kRate), 500u);
  EXPECT_FALSE(bucket.is_full(kStartMs + 3'001));
  EXPECT_TRUE(bucket.is_full(kStartMs + 3'002));
  EXPECT_EQ(drain(bucket, kStartMs + 1'000'000'000, kRate), 1'000u);  // and no fuller
}

TEST(TokenBucket, FullAtTimeZero) {
  TokenBucket bucket;
  EXPECT_TRUE(bucket.is_full(0));
  EXPECT_EQ(drain(bucket, 0, {.units = 3}), 3u);
}

// However often it is asked and whatever the rate is: in ten seconds, ten seconds' worth.
TEST(TokenBucket, TheRateIsExact) {
  for (const std::uint32_t units : {1u, 3u, 7u, 700u, 999u, 1'000u, 1'001u, 1'500u, 12'345u}) {
    const TokenRate rate{.units = units, .burst_ms = 4'000};
    TokenBucket bucket;
    EXPECT_EQ(drain(bucket, kStartMs, rate), 4 * units);
    std::uint64_t taken = 0;
    for (TimeMs ms = 1; ms <= 10'000; ++ms) taken += drain(bucket, kStartMs + ms, rate);
    EXPECT_EQ(taken, 10 * units);
  }
}

TEST(TokenBucket, RatesCountInAnyTime) {
  constexpr TokenRate kTenAMinute{.units = 10, .per_ms = 60'000, .burst_ms = 60'000};
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, kStartMs, kTenAMinute), 10u);
  EXPECT_EQ(drain(bucket, kStartMs + 5'999, kTenAMinute), 0u);
  EXPECT_EQ(drain(bucket, kStartMs + 6'000, kTenAMinute), 1u);
}

TEST(TokenBucket, NoUnitsAreNoLimit) {
  constexpr TokenRate kUnlimited;
  TokenBucket bucket;
  for (int i = 0; i < 1'000'000; ++i) ASSERT_TRUE(bucket.take(kStartMs, kUnlimited, 1'000'000));
  EXPECT_TRUE(bucket.is_full(kStartMs));
}

TEST(TokenBucket, HasChangesNothing) {
  constexpr TokenRate kRate{.units = 2};
  TokenBucket bucket;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.has(kStartMs, kRate, 2));
  EXPECT_TRUE(bucket.take(kStartMs, kRate, 2));
  EXPECT_FALSE(bucket.has(kStartMs, kRate));
}

TEST(TokenBucket, MoreThanABurstIsTakenFromAFullBucketAndPaidForAfterwards) {
  constexpr TokenRate kRate{.units = 1'000, .burst_ms = 2'000};
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(kStartMs, kRate));
  EXPECT_FALSE(bucket.take(kStartMs, kRate, 10'000));  // not quite full
  EXPECT_TRUE(bucket.take(kStartMs + 1, kRate, 10'000));
  EXPECT_FALSE(bucket.has(kStartMs + 8'001, kRate));
  EXPECT_TRUE(bucket.has(kStartMs + 8'002, kRate));
}

TEST(TokenBucket, UnitsWithoutNumberDoNotOverflow) {
  constexpr TokenRate kSlow{.units = 1, .per_ms = 60'000, .burst_ms = 60'000};
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(kStartMs, kSlow, std::numeric_limits<std::uint64_t>::max()));
  EXPECT_FALSE(bucket.has(kStartMs + 1'000'000'000, kSlow));
}

// Against the textbook's form: a number of tokens that grows with time up to a burst.
TEST(TokenBucket, AgreesWithACountOfTokens) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    // Rates that divide a second into whole nanoseconds, so that both count exactly.
    const std::uint64_t units = std::uint64_t{1} << (random() % 10);
    const TokenRate rate{.units = units,
                         .burst_ms = 1 + static_cast<std::uint32_t>(random() % 5'000)};
    const std::uint64_t full = rate.burst_ms * units;  // in thousandths of a token
    std::uint64_t tokens = full;
    TokenBucket bucket;
    TimeMs now_ms = kStartMs;
    for (int i = 0; i < 500; ++i) {
      const TimeMs passed_ms = random() % 400;
      now_ms += passed_ms;
      tokens = std::min(full, tokens + passed_ms * units);
      const std::uint64_t wanted = random() % 4;
      if (wanted * 1'000 > full) continue;
      const bool is_enough = tokens >= wanted * 1'000;
      ASSERT_EQ(bucket.take(now_ms, rate, wanted), is_enough) << round << ' ' << i;
      if (is_enough) tokens -= wanted * 1'000;
    }
  }
}

}  // namespace
}  // namespace chatd
