// The timer wheel in virtual time: order, moving and cancelling, jumps over many levels, and the
// ends of the number range.
#include "core/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace chatd {
namespace {

std::vector<std::uint32_t> pop_all(TimerWheel& wheel, TimeMs now_ms) {
  std::vector<std::uint32_t> slots;
  while (const auto slot = wheel.pop_expired(now_ms)) slots.push_back(*slot);
  return slots;
}

using Slots = std::vector<std::uint32_t>;

TEST(TimerWheel, StartsEmpty) {
  TimerWheel wheel(4, 100);
  EXPECT_EQ(wheel.next_deadline(), std::nullopt);
  EXPECT_EQ(wheel.pop_expired(1'000'000), std::nullopt);
  EXPECT_FALSE(wheel.is_armed(0));
}

TEST(TimerWheel, FiresAtTheDeadlineAndNotBefore) {
  for (const TimeMs delay_ms : {1u, 63u, 64u, 65u, 4095u, 4096u, 4097u, 300'000u}) {
    const TimeMs deadline_ms = 100 + delay_ms;
    TimerWheel wheel(1, 100);
    wheel.arm(0, deadline_ms);
    EXPECT_EQ(wheel.pop_expired(deadline_ms - 1), std::nullopt) << delay_ms;
    EXPECT_EQ(wheel.pop_expired(deadline_ms), 0u) << delay_ms;
    EXPECT_EQ(wheel.pop_expired(deadline_ms), std::nullopt) << delay_ms;
    EXPECT_FALSE(wheel.is_armed(0));
  }
}

TEST(TimerWheel, FiresEarlierDeadlinesFirst) {
  TimerWheel wheel(8, 0);
  wheel.arm(0, 300'000);
  wheel.arm(1, 5);
  wheel.arm(2, 70);
  wheel.arm(3, 4'500);
  wheel.arm(4, 6);
  EXPECT_EQ(pop_all(wheel, 1'000'000), (Slots{1, 4, 2, 3, 0}));
}

TEST(TimerWheel, ArmsByADeadlineUnlessItFiresBefore) {
  TimerWheel wheel(2, 0);
  wheel.arm_by(0, 1'000);
  wheel.arm_by(0, 2'000);
  EXPECT_EQ(wheel.pop_expired(999), std::nullopt);
  wheel.arm_by(0, 500);
  EXPECT_EQ(wheel.pop_expired(999), 0u);
  EXPECT_FALSE(wheel.is_armed(0));
}

TEST(TimerWheel, MovesATimer) {
  TimerWheel wheel(2, 0);
  wheel.arm(0, 10);
  wheel.arm(0, 1'000);
  EXPECT_EQ(wheel.pop_expired(999), std::nullopt);
  wheel.arm(0, 1'001);
  EXPECT_EQ(wheel.pop_expired(1'000), std::nullopt);
  EXPECT_EQ(wheel.pop_expired(1'001), 0u);
}

TEST(TimerWheel, DisarmsATimer) {
  TimerWheel wheel(3, 0);
  for (const std::uint32_t slot : {0u, 1u, 2u}) wheel.arm(slot, 50);  // one list
  wheel.disarm(1);                                                    // out of its middle
  EXPECT_FALSE(wheel.is_armed(1));
  EXPECT_TRUE(wheel.is_armed(0));
  wheel.disarm(1);  // twice does no harm
  EXPECT_EQ(pop_all(wheel, 50).size(), 2u);
  EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

TEST(TimerWheel, DisarmingASlotNeverSeenDoesNothing) {
  TimerWheel wheel(8, 0);
  wheel.disarm(7);
  EXPECT_FALSE(wheel.is_armed(7));
}

TEST(TimerWheel, ADeadlineInThePastFiresAtOnce) {
  TimerWheel wheel(2, 5'000);
  wheel.arm(0, 3);
  EXPECT_EQ(wheel.next_deadline(), 5'000u);
  EXPECT_EQ(wheel.pop_expired(5'000), 0u);
}

TEST(TimerWheel, RearmsWhilePopping) {
  TimerWheel wheel(2, 0);
  wheel.arm(0, 10);
  wheel.arm(1, 10);
  std::vector<std::uint32_t> fired;
  for (int i = 0; i < 6; ++i) {
    const auto slot = wheel.pop_expired(1'000);
    if (!slot) break;
    fired.push_back(*slot);
    if (*slot == 0 && fired.size() < 4) wheel.arm(0, 20);  // passed already: fires once more
  }
  EXPECT_EQ(std::count(fired.begin(), fired.end(), 0u), 3);
  EXPECT_EQ(std::count(fired.begin(), fired.end(), 1u), 1);
}

TEST(TimerWheel, MayStopHalfway) {
  TimerWheel wheel(3, 0);
  wheel.arm(0, 10);
  wheel.arm(1, 20);
  wheel.arm(2, 30'000);
  EXPECT_EQ(wheel.pop_expired(40'000), 0u);
  // The wheel's own time is still near 10: a new timer takes its place between the others.
  wheel.arm(0, 25);
  EXPECT_LE(wheel.next_deadline().value(), 20u);
  EXPECT_EQ(pop_all(wheel, 40'000), (Slots{1, 0, 2}));
}

TEST(TimerWheel, ATimeThatStandsStillOrGoesBackFiresNothing) {
  TimerWheel wheel(1, 1'000);
  wheel.arm(0, 2'000);
  EXPECT_EQ(wheel.pop_expired(1'500), std::nullopt);
  EXPECT_EQ(wheel.pop_expired(1'500), std::nullopt);
  EXPECT_EQ(wheel.pop_expired(10), std::nullopt);
  EXPECT_EQ(wheel.pop_expired(2'000), 0u);
}

// Who sleeps until next_deadline() and then pops is never late, and comes to the deadline in a few
// steps.
TEST(TimerWheel, NextDeadlineLeadsToTheDeadline) {
  for (const TimeMs deadline_ms : {1ull, 64ull, 65ull, 300'000ull, 1ull << 40, (1ull << 62) + 7}) {
    TimerWheel wheel(1, 0);
    wheel.arm(0, deadline_ms);
    std::optional<std::uint32_t> fired;
    TimeMs now_ms = 0;
    for (int step = 0; step < 16 && !fired; ++step) {
      ASSERT_TRUE(wheel.next_deadline().has_value());
      EXPECT_GE(*wheel.next_deadline(), now_ms);
      now_ms = *wheel.next_deadline();
      ASSERT_LE(now_ms, deadline_ms);
      fired = wheel.pop_expired(now_ms);
    }
    EXPECT_EQ(fired, 0u);
    EXPECT_EQ(now_ms, deadline_ms);
  }
}

TEST(TimerWheel, GoesBeyondThirtyTwoBits) {
  constexpr TimeMs kStartMs = (1ull << 32) - 10;
  TimerWheel wheel(2, kStartMs);
  wheel.arm(0, kStartMs + 9);   // the last below 2^32
  wheel.arm(1, kStartMs + 10);  // 2^32
  EXPECT_EQ(pop_all(wheel, kStartMs + 8), Slots{});
  EXPECT_EQ(pop_all(wheel, kStartMs + 9), Slots{0});
  EXPECT_EQ(pop_all(wheel, kStartMs + 10), Slots{1});
}

TEST(TimerWheel, GoesToTheEndOfTime) {
  constexpr TimeMs kEndMs = std::numeric_limits<TimeMs>::max();
  constexpr TimeMs kHalfMs = 1ull << 63;
  TimerWheel wheel(4, 0);
  wheel.arm(0, kEndMs);
  wheel.arm(1, kHalfMs);
  wheel.arm(2, kHalfMs - 1);
  wheel.arm(3, kEndMs - 1);
  EXPECT_EQ(pop_all(wheel, kHalfMs - 2), Slots{});
  EXPECT_EQ(pop_all(wheel, kHalfMs), (Slots{2, 1}));
  EXPECT_EQ(pop_all(wheel, kEndMs - 1), Slots{3});
  EXPECT_EQ(pop_all(wheel, kEndMs), Slots{0});
}

TEST(TimerWheel, AHugeJumpFiresEverything) {
  TimerWheel wheel(1'000, 12'345);
  for (std::uint32_t slot = 0; slot < 1'000; ++slot) {
    wheel.arm(slot, 12'345 + (std::uint64_t{slot} << (slot % 40)));
  }
  EXPECT_EQ(pop_all(wheel, 1ull << 62).size(), 1'000u);
  // And the wheel goes on from there.
  wheel.arm(5, (1ull << 62) + 3);
  EXPECT_EQ(pop_all(wheel, (1ull << 62) + 2), Slots{});
  EXPECT_EQ(pop_all(wheel, (1ull << 62) + 3), Slots{5});
}

}  // namespace
}  // namespace chatd
