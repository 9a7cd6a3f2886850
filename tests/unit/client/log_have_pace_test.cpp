// Acknowledgements in a large room: few, and what gets lost at the end of talk is found all the
// same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using test::LogWorld;
using test::Network;
using test::SealedMember;

class LogHavePace : public testing::Test {
 protected:
  static constexpr int kMembers = 400;

  void fill(LogWorld& world, int size = kMembers) {
    host_ = &world.create("hall", "m0");
    while (std::ssize(world.members) < size) {
      world.join("hall", "m" + std::to_string(world.members.size()));
    }
    ASSERT_TRUE(world.settle()) << world.why_not_settled();
    world.run_for(15'000);
  }
  // One message, and so much time.
  void say_and_wait(LogWorld& world, TimeMs time_ms) {
    world.say(*host_, "message " + std::to_string(said_++));
    world.run_for(time_ms);
  }

  SealedMember* host_ = nullptr;
  int said_ = 0;
};

TEST_F(LogHavePace, InALargeRoomOneMessageDoesNotDrawAHaveFromEverybody) {
  LogWorld world{{.delay_ms = 1}};
  ASSERT_NO_FATAL_FAILURE(fill(world));
  const std::uint64_t before = world.count(Counter::kHavesTaken);
  const std::uint64_t heads_before = world.count(Counter::kHeadsSent);
  for (int i = 0; i < 12; ++i) say_and_wait(world, 1'000);
  // Each member once in three to four seconds.
  EXPECT_LE(world.count(Counter::kHavesTaken) - before, 4u * kMembers + kMembers / 4);
  EXPECT_GE(world.count(Counter::kHavesTaken) - before, 2u * kMembers);
  EXPECT_LE(world.count(Counter::kHeadsSent) - heads_before, 12u * kMembers + kMembers / 10);
}

TEST_F(LogHavePace, HavesOfALargeRoomDoNotComeAtOnce) {
  LogWorld world{{.delay_ms = 1}};
  ASSERT_NO_FATAL_FAILURE(fill(world));
  say_and_wait(world, 1);
  const std::uint64_t before = world.count(Counter::kHavesTaken);
  std::uint64_t most = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t at = world.count(Counter::kHavesTaken);
    world.run_for(100);
    most = std::max(most, world.count(Counter::kHavesTaken) - at);
  }
  EXPECT_GE(world.count(Counter::kHavesTaken) - before, std::uint64_t{kMembers});
  EXPECT_LE(most, std::uint64_t{kMembers} / 4);
}

TEST_F(LogHavePace, WhatIsLostAtTheEndIsFoundWithoutThem) {
  LogWorld world{{.loss = 0.1, .delay_ms = 10}};
  ASSERT_NO_FATAL_FAILURE(fill(world, 200));
  for (int i = 0; i < 5; ++i) say_and_wait(world, 5'000);
  EXPECT_TRUE(world.settle(30'000)) << world.why_not_settled();
}

TEST_F(LogHavePace, InASmallRoomEverybodySaysAtOnceThatItHasTheEnd) {
  LogWorld world{{.delay_ms = 1}};
  ASSERT_NO_FATAL_FAILURE(fill(world, 50));
  const std::uint64_t before = world.count(Counter::kHavesTaken);
  say_and_wait(world, 1'500);
  EXPECT_EQ(world.count(Counter::kHavesTaken) - before, 50u);
}

}  // namespace
}  // namespace chatd
