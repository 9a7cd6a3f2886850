// Counters: each counts for itself and has a name of its own, in the log and in Prometheus.
#include "core/stats/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace chatd {
namespace {

constexpr auto kCount = static_cast<std::uint8_t>(kCounterCount);

TEST(Counters, StartAtZero) {
  const Counters counters;
  for (std::uint8_t i = 0; i < kCount; ++i) EXPECT_EQ(counters[static_cast<Counter>(i)], 0u);
}

TEST(Counters, CountEachForItself) {
  Counters counters;
  for (std::uint8_t i = 0; i < kCount; ++i) counters.add(static_cast<Counter>(i), i);
  for (std::uint8_t i = 0; i < kCount; ++i) counters.add(static_cast<Counter>(i));
  for (std::uint8_t i = 0; i < kCount; ++i) EXPECT_EQ(counters[static_cast<Counter>(i)], i + 1u);
}

TEST(Counters, HaveDistinctNamesInSnakeCase) {
  std::set<std::string_view> names;
  for (const CounterSpec& row : counter_table()) {
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(counter_name(row.counter), row.name);
  }
}

// What makes rows of one metric one metric.
TEST(Counters, OfOneFamilyStandTogetherAndDifferInTheirLabel) {
  std::set<std::string> metrics;
  std::set<std::string> series;
  const CounterSpec* last = nullptr;
  for (const CounterSpec& row : counter_table()) {
    if (last == nullptr || row.metric() != last->metric()) {
      EXPECT_TRUE(metrics.insert(row.metric()).second) << row.metric() << " stands in two places";
      EXPECT_FALSE(row.help.empty()) << row.metric();
    } else {
      EXPECT_EQ(row.label, last->label) << row.metric();
      EXPECT_TRUE(row.help.empty()) << row.name << ": the first row of a family has its help";
    }
    EXPECT_TRUE(series.insert(row.metric() + "/" + std::string(row.value)).second) << row.name;
    EXPECT_EQ(row.family.empty(), row.label.empty()) << row.name;
    EXPECT_EQ(row.family.empty(), row.value.empty()) << row.name;
    last = &row;
  }
}

}  // namespace
}  // namespace chatd
