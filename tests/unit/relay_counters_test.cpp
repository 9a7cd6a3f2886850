// Counters: each counts for itself and has a name of its own.
#include "core/relay/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace chatd {
namespace {

constexpr auto kCount = static_cast<std::uint8_t>(Counter::kCount);

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
  for (std::uint8_t i = 0; i < kCount; ++i) {
    const std::string_view name = counter_name(static_cast<Counter>(i));
    EXPECT_NE(name, "unknown") << int{i};
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Counters, OfNoNameAreUnknown) {
  EXPECT_EQ(counter_name(Counter::kCount), "unknown");
}

}  // namespace
}  // namespace chatd
