// How often a source that may be spoofed gets an answer.
#include "core/relay/answer_limiter.h"

#include <gtest/gtest.h>

#include "tests/unit/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

TEST(AnswerLimiter, AllowsOneAnswerASecond) {
  AnswerLimiter limiter({});
  const IpAddress source = ip("192.0.2.1");
  EXPECT_TRUE(limiter.allow(1'000'000, source));
  EXPECT_FALSE(limiter.allow(1'000'000, source));
  EXPECT_FALSE(limiter.allow(1'000'999, source));
  EXPECT_TRUE(limiter.allow(1'001'000, source));
  // A refusal does not put the next answer off.
  EXPECT_FALSE(limiter.allow(1'001'900, source));
  EXPECT_TRUE(limiter.allow(1'002'000, source));
}

TEST(AnswerLimiter, AnswersAtTimeZero) {
  AnswerLimiter limiter({});
  EXPECT_TRUE(limiter.allow(0, ip("192.0.2.1")));
}

TEST(AnswerLimiter, CountsSourcesApart) {
  AnswerLimiter limiter({});
  int allowed = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    if (limiter.allow(5'000, IpAddress::from_v4({192, 0, 2, i}))) ++allowed;
  }
  EXPECT_GE(allowed, 90);  // a few may share an entry
}

// Spoofed sources without number: what leaves in a second is bounded by the table.
TEST(AnswerLimiter, BoundsWhatLeavesInASecond) {
  AnswerLimiter limiter({});
  int allowed = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const IpAddress source =
        IpAddress::from_v4({10, static_cast<std::uint8_t>(i >> 16),
                            static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    if (limiter.allow(5'000, source)) ++allowed;
  }
  EXPECT_LE(allowed, 4'096);
  EXPECT_GE(allowed, 4'000);
}

}  // namespace
}  // namespace chatd
