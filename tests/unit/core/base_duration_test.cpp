// Durations as people write them: every form that one of chatd's programs has taken so far.
#include "core/base/time.h"

#include <gtest/gtest.h>

namespace chatd {
namespace {

constexpr double kSecondNs = 1e9;

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration_ns("7ns"), 7);
  EXPECT_EQ(parse_duration_ns("500us"), 500'000);
  EXPECT_EQ(parse_duration_ns("500µs"), 500'000);
  EXPECT_EQ(parse_duration_ns("20ms"), 20'000'000);
  EXPECT_EQ(parse_duration_ns("300s"), 300 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("2m"), 120 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("2min"), 120 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("1h"), 3600 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("0s"), 0);
}

TEST(Duration, MayHaveAFractionBlanksAndNoUnit) {
  EXPECT_EQ(parse_duration_ns("1.5s"), 1'500'000'000);
  EXPECT_EQ(parse_duration_ns("130.5ns"), 130.5);
  EXPECT_EQ(parse_duration_ns("5 min"), 300 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("5"), 5 * kSecondNs);
  EXPECT_EQ(parse_duration_ns("010"), 10 * kSecondNs);
}

TEST(Duration, IsNothingElse) {
  for (const char* wrong :
       {"", " ", "s", "ms", "-5s", "-0s", "+5s", " 5s", "5s ", "5S", "5 parsecs", "5sec", "1h30m",
        "0x5s", "inf", "nans", "1e300h", "99999999999999999999h", "18446744073709551615h"}) {
    EXPECT_FALSE(parse_duration_ns(wrong)) << wrong;
  }
}

TEST(Duration, InMillisecondsIsWhole) {
  EXPECT_EQ(parse_duration_ms("1.5s"), 1500);
  EXPECT_EQ(parse_duration_ms("0.1s"), 100);
  EXPECT_EQ(parse_duration_ms("1000us"), 1);
  EXPECT_EQ(parse_duration_ms("4294967295ms"), 4'294'967'295);
  EXPECT_FALSE(parse_duration_ms("0.5ms"));
  EXPECT_FALSE(parse_duration_ms("1us"));
}

}  // namespace
}  // namespace chatd
