#include "bench/chatbench/report/units.h"

#include <gtest/gtest.h>

#include <limits>

#include "bench/chatbench/stats/histogram.h"

namespace chatd::bench {
namespace {

TEST(Units, DurationsHaveThreeDigitsAndAUnitThatFits) {
  EXPECT_EQ(format_duration_ns(0), "0 ns");
  EXPECT_EQ(format_duration_ns(812), "812 ns");
  EXPECT_EQ(format_duration_ns(0.5), "0.50 ns");
  EXPECT_EQ(format_duration_ns(999), "999 ns");
  EXPECT_EQ(format_duration_ns(999.9), "1.00 µs");
  EXPECT_EQ(format_duration_ns(5120), "5.12 µs");
  EXPECT_EQ(format_duration_ns(9'999), "10.0 µs");
  EXPECT_EQ(format_duration_ns(61e6), "61.0 ms");
  EXPECT_EQ(format_duration_ns(999'499'999), "999 ms");
  EXPECT_EQ(format_duration_ns(999'999'999), "1.00 s");
  EXPECT_EQ(format_duration_ns(3.6e12), "3,600 s");
  EXPECT_EQ(format_duration_ns(std::numeric_limits<double>::quiet_NaN()), "n/a");
  EXPECT_EQ(format_seconds(2), "2.00 s");
  EXPECT_EQ(format_duration_ns(static_cast<double>(kNever)), "never");
  EXPECT_EQ(format_duration_ns(std::numeric_limits<double>::infinity()), "never");
}

TEST(Units, CountsAreSeparatedByThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_count(~std::uint64_t{0}), "18,446,744,073,709,551,615");
}

TEST(Units, RatesBytesAndShares) {
  EXPECT_EQ(format_per_second(17'996.5), "17,996/s");
  EXPECT_EQ(format_per_second(12.5), "12.5/s");
  EXPECT_EQ(format_per_second(1e308), "1.00e+308/s") << "no number without end";
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(2411724.8), "2.30 MiB");
  EXPECT_EQ(format_bytes(1024.0 * 1024 * 1024 * 5000), "5,000 GiB");
  EXPECT_EQ(format_percent(0), "0.00 %");
  EXPECT_EQ(format_percent(0.031), "3.10 %");
  EXPECT_EQ(format_percent(1e-6), "0.000100 %") << "a single loss must not read as none";
}

TEST(Units, PaddingCountsCharactersNotBytes) {
  EXPECT_EQ(pad_left("5 µs", 6), "  5 µs");
  EXPECT_EQ(pad_right("5 µs", 6), "5 µs  ");
  EXPECT_EQ(pad_left("too long", 3), "too long");
}

}  // namespace
}  // namespace chatd::bench
