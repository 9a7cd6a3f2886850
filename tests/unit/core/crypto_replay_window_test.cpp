// The replay window against a set of all numbers that were ever taken.
#include "core/crypto/replay_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace chatd {
namespace {

TEST(ReplayWindow, TakesEachNumberOnce) {
  ReplayWindow window;
  for (const std::uint64_t number : {0u, 1u, 5u, 3u, 63u, 64u, 2u}) {
    EXPECT_TRUE(window.is_new(number)) << number;
    window.mark(number);
    EXPECT_FALSE(window.is_new(number)) << number;
  }
  EXPECT_TRUE(window.is_new(4));
  EXPECT_EQ(window.next(), 65u);
}

TEST(ReplayWindow, WhatLiesBehindItCountsAsTaken) {
  ReplayWindow window;
  window.mark(1'000'000);
  EXPECT_TRUE(window.is_new(1'000'001 - ReplayWindow::kSize));
  EXPECT_FALSE(window.is_new(1'000'000 - ReplayWindow::kSize));
  EXPECT_FALSE(window.is_new(0));
  EXPECT_TRUE(window.is_new(~std::uint64_t{0} - 1));
}

TEST(ReplayWindow, AgreesWithASetOfNumbers) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    ReplayWindow window;
    std::set<std::uint64_t> taken;
    std::uint64_t newest = 0;
    for (int i = 0; i < 5'000; ++i) {
      const std::uint64_t spread = std::uint64_t{1} << random() % 12;
      const std::uint64_t back = random() % spread;
      const std::uint64_t number =
          random() % 3 == 0 ? newest + random() % spread : newest - std::min(newest, back);
      const bool is_behind =
          !taken.empty() && newest + 1 - std::min(number, newest + 1) > ReplayWindow::kSize;
      const bool expected = !is_behind && !taken.contains(number);
      ASSERT_EQ(window.is_new(number), expected) << "seed " << seed << ", number " << number;
      if (!expected) continue;
      window.mark(number);
      taken.insert(number);
      newest = std::max(newest, number);
    }
  }
}

TEST(ReplayWindow, GoesOnInAnotherProcess) {
  ReplayWindow window;
  window.mark(100);
  window.mark(98);
  ReplayWindow other;
  other.restore(window.next(), window.words());
  EXPECT_FALSE(other.is_new(100));
  EXPECT_TRUE(other.is_new(99));
  EXPECT_FALSE(other.is_new(98));
}

}  // namespace
}  // namespace chatd
