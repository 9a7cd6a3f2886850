// The histogram against what it approximates: all samples kept and sorted.
#include "bench/chatbench/stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/chatbench/report/latency_summary.h"

namespace chatd::bench {
namespace {

using Samples = std::vector<std::uint64_t>;

Histogram histogram_of(const Samples& samples) {
  Histogram histogram;
  for (const std::uint64_t sample : samples) histogram.record(sample);
  return histogram;
}

Samples draw(std::size_t count, const std::function<double(std::mt19937_64&)>& next) {
  std::mt19937_64 random(4711);
  Samples samples(count);
  for (std::uint64_t& sample : samples) {
    sample = static_cast<std::uint64_t>(std::max(0.0, next(random)));
  }
  return samples;
}

std::vector<std::pair<std::string, Samples>> distributions() {
  constexpr std::size_t kCount = 200'000;
  std::uniform_real_distribution<double> uniform(0, 5e6);
  std::exponential_distribution<double> exponential(1 / 250e3);
  std::lognormal_distribution<double> lognormal(12, 2);
  std::lognormal_distribution<double> whole_range(14, 5);
  std::uniform_real_distribution<double> unit(0, 1);
  std::uniform_int_distribution<int> small(0, 30);
  return {
      {"uniform", draw(kCount, [&](auto& random) { return uniform(random); })},
      {"exponential", draw(kCount, [&](auto& random) { return exponential(random); })},
      {"lognormal", draw(kCount, [&](auto& random) { return lognormal(random); })},
      // Nanoseconds to the better part of an hour.
      {"whole range",
       draw(kCount, [&](auto& random) { return std::min(whole_range(random), 4e12); })},
      {"a fast path and a rare slow one",
       draw(kCount,
            [&](auto& random) { return unit(random) < 0.995 ? 20e3 + 1e3 * unit(random) : 1e9; })},
      {"few values", draw(kCount, [&](auto& random) { return small(random); })},
      {"powers of two and their neighbours",
       draw(kCount,
            [&](auto& random) { return std::exp2(small(random) + 11) + small(random) % 3 - 1; })},
      {"constant", Samples(kCount, 123'456'789)},
      {"21 samples", draw(21, [&](auto& random) { return uniform(random); })},
  };
}

TEST(Histogram, DiffersFromExactSortingByATenthOfAPercentAtMost) {
  for (auto& [name, samples] : distributions()) {
    const Histogram histogram = histogram_of(samples);
    std::sort(samples.begin(), samples.end());
    int compared = 0;
    for (const double q : {0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999,
                           0.9995, 0.9999, 0.99995}) {
      const auto measured = histogram.percentile(q);
      const auto rank = static_cast<std::size_t>(std::ceil(
          static_cast<long double>(q) * static_cast<long double>(samples.size()) - 1e-6L));
      if (samples.size() - rank < Histogram::kMinSamplesBeyond) {
        EXPECT_FALSE(measured) << name << " " << q;
        continue;
      }
      ASSERT_TRUE(measured) << name << " " << q;
      const std::uint64_t exact = samples[rank - 1];
      EXPECT_GE(*measured, exact) << name << " " << q;
      EXPECT_LE(static_cast<double>(*measured), static_cast<double>(exact) * 1.001)
          << name << " " << q;
      ++compared;
    }
    EXPECT_GE(compared, samples.size() > 1000 ? 15 : 6) << name;
  }
}

TEST(Histogram, KnowsCountExtremesAndMeanExactly) {
  for (const auto& [name, samples] : distributions()) {
    const Histogram histogram = histogram_of(samples);
    EXPECT_EQ(histogram.count(), samples.size()) << name;
    EXPECT_EQ(histogram.min(), *std::min_element(samples.begin(), samples.end())) << name;
    EXPECT_EQ(histogram.max(), *std::max_element(samples.begin(), samples.end())) << name;
    long double sum = 0;
    for (const std::uint64_t sample : samples) sum += static_cast<long double>(sample);
    const auto mean = static_cast<double>(sum / static_cast<long double>(samples.size()));
    EXPECT_NEAR(histogram.mean(), mean, mean * 1e-9) << name;
  }
}

TEST(Histogram, BucketsHoldEachSampleOnceAndAreNarrow) {
  for (const auto& distribution : distributions()) {
    SCOPED_TRACE(distribution.first);
    Samples samples = distribution.second;
    std::sort(samples.begin(), samples.end());
    auto next = samples.begin();
    histogram_of(samples).for_each_bucket([&](const Histogram::Bucket& bucket) {
      EXPECT_GT(bucket.count, 0u);
      EXPECT_LE(static_cast<double>(bucket.highest - bucket.lowest),
                static_cast<double>(bucket.lowest) * 0.001);
      for (std::uint64_t i = 0; i < bucket.count; ++i, ++next) {
        ASSERT_NE(next, samples.end());
        ASSERT_TRUE(bucket.lowest <= *next && *next <= bucket.highest)
            << *next << " is not in " << bucket.lowest << ".." << bucket.highest;
      }
    });
    EXPECT_EQ(next, samples.end());
  }
}

TEST(Histogram, MergedIsAsIfRecordedInOne) {
  Samples all;
  Histogram merged;
  for (const auto& [name, samples] : distributions()) {
    merged.merge(histogram_of(samples));
    all.insert(all.end(), samples.begin(), samples.end());
  }
  merged.merge(Histogram());
  const Histogram once = histogram_of(all);
  EXPECT_EQ(merged.count(), once.count());
  EXPECT_EQ(merged.min(), once.min());
  EXPECT_EQ(merged.max(), once.max());
  EXPECT_NEAR(merged.mean(), once.mean(), once.mean() * 1e-9);
  for (const ReportedPercentile& reported : kReportedPercentiles) {
    EXPECT_EQ(merged.percentile(reported.q), once.percentile(reported.q)) << reported.name;
  }
}

TEST(Histogram, IsEmptyAfterResetAndUsableAgain) {
  Histogram histogram = histogram_of({1, 5'000'000'000, 3});
  histogram.reset();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  histogram.for_each_bucket([](const Histogram::Bucket&) { FAIL() << "nothing should be left"; });

  for (int i = 0; i < 100; ++i) histogram.record(7);
  EXPECT_EQ(histogram.percentile(0.5), 7u);
  EXPECT_EQ(histogram.count(), 100u);
}

TEST(Histogram, GivesNoPercentileWithoutTenSamplesBeyondIt) {
  Histogram histogram;
  EXPECT_FALSE(histogram.percentile(0.5));
  for (int i = 0; i < 19; ++i) histogram.record(1000);
  EXPECT_FALSE(histogram.percentile(0.5));
  histogram.record(1000);
  EXPECT_EQ(histogram.percentile(0.5), 1000u);
  EXPECT_FALSE(histogram.percentile(0.51));

  while (histogram.count() < 999) histogram.record(1000);
  EXPECT_FALSE(histogram.percentile(0.99));
  histogram.record(1000);
  EXPECT_EQ(histogram.percentile(0.99), 1000u);
}

TEST(Histogram, RefusesWhatIsNoFraction) {
  const Histogram histogram = histogram_of(Samples(1000, 5));
  for (const double q : {0.0, 1.0, -0.5, 50.0, 99.0, std::nan("")}) {
    EXPECT_FALSE(histogram.percentile(q)) << q;
  }
}

TEST(Histogram, TakesZeroAndValuesBeyondItsRange) {
  constexpr std::uint64_t kHighest = Histogram::kHighestTrackable;
  Histogram histogram = histogram_of({0, kHighest, kHighest + 1, ~std::uint64_t{0}});
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), ~std::uint64_t{0});
  std::uint64_t in_last_bucket = 0;
  histogram.for_each_bucket([&](const Histogram::Bucket& bucket) {
    if (bucket.highest == kHighest) in_last_bucket = bucket.count;
  });
  EXPECT_EQ(in_last_bucket, 3u);

  // Beyond the range the percentile is the maximum: too high, never too low.
  const Histogram far = histogram_of(Samples(100, kHighest + 12345));
  EXPECT_EQ(far.percentile(0.5), kHighest + 12345);
  histogram.reset();
  EXPECT_EQ(histogram.count(), 0u);
}

TEST(LatencySummary, HoldsWhatTheSamplesAllow) {
  Samples samples;
  for (std::uint64_t i = 1; i <= 1000; ++i) samples.push_back(i);
  const LatencySummary summary = summarize(histogram_of(samples));
  EXPECT_EQ(summary.count, 1000u);
  EXPECT_EQ(summary.min_ns, 1u);
  EXPECT_EQ(summary.max_ns, 1000u);
  EXPECT_DOUBLE_EQ(summary.mean_ns, 500.5);
  EXPECT_EQ(summary.percentile(0.5), 500u);
  EXPECT_EQ(summary.percentile(0.99), 990u);
  EXPECT_FALSE(summary.percentile(0.999));
  EXPECT_FALSE(summary.percentile(0.123)) << "not one of those that are kept";

  ASSERT_EQ(summary.curve_q.size(), summary.curve_ns.size());
  ASSERT_GT(summary.curve_q.size(), 40u);
  EXPECT_TRUE(std::is_sorted(summary.curve_q.begin(), summary.curve_q.end()));
  EXPECT_TRUE(std::is_sorted(summary.curve_ns.begin(), summary.curve_ns.end()));
  EXPECT_LE(summary.curve_q.back(), 0.99);
}

TEST(LatencySummary, OfNothingIsEmpty) {
  const LatencySummary summary = summarize(Histogram());
  EXPECT_EQ(summary, LatencySummary());
}

// The same samples, with a value that is greater than all others in the place of what never came.
TEST(Histogram, WhatNeverCameIsGreaterThanEverything) {
  Histogram histogram;
  EXPECT_EQ(histogram.value_at(0.5), 0u);
  for (std::uint64_t i = 1; i <= 990; ++i) histogram.record(i);
  histogram.record_never(10);
  EXPECT_EQ(histogram.count(), 1'000u);
  EXPECT_EQ(histogram.never(), 10u);
  EXPECT_EQ(histogram.percentile(0.5), 500u);
  EXPECT_EQ(histogram.percentile(0.99), 990u);
  EXPECT_EQ(histogram.percentile(0.999), std::nullopt);
  EXPECT_EQ(histogram.value_at(0.99), 990u);
  EXPECT_EQ(histogram.value_at(0.991), kNever);
  EXPECT_EQ(histogram.value_at(1), kNever);
  EXPECT_EQ(histogram.min(), 1u);
  EXPECT_EQ(histogram.max(), kNever);
  EXPECT_TRUE(std::isinf(histogram.mean()));

  histogram.record_never(90);
  EXPECT_EQ(histogram.percentile(0.99), kNever);
  Histogram sum;
  sum.merge(histogram);
  sum.merge(histogram);
  EXPECT_EQ(sum.never(), 200u);
  EXPECT_EQ(sum.percentile(0.95), kNever);
  const LatencySummary summary = summarize(sum);
  EXPECT_EQ(summary.never, 200u);
  EXPECT_EQ(summary.percentile(0.99), kNever);
  for (const std::uint64_t value : summary.curve_ns) EXPECT_LE(value, 990u);

  sum.reset();
  EXPECT_EQ(sum.count(), 0u);
  EXPECT_EQ(sum.never(), 0u);
  sum.record_never(1'000);
  EXPECT_EQ(sum.percentile(0.5), kNever);
  EXPECT_EQ(sum.min(), kNever);
  sum.reset();
  sum.record(7);
  EXPECT_EQ(sum.max(), 7u);
  EXPECT_EQ(sum.value_at(1), 7u);
}

}  // namespace
}  // namespace chatd::bench
