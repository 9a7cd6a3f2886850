// When a member with protocol v2 asks for what it misses: soon when it is alone with that, and not
// all at once when many on one host miss the same.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using test::LogWorld;
using test::SealedMember;

// What 21 datagrams of some hundred bytes take, or seven of the largest.
constexpr std::size_t kSmallBufferBytes = 16'384;

std::vector<SealedMember*> make_crowd(LogWorld& world, int size) {
  std::vector<SealedMember*> crowd{&world.create("kitchen", "m0")};
  while (std::ssize(crowd) < size) {
    crowd.push_back(&world.join("kitchen", "m" + std::to_string(crowd.size())));
  }
  EXPECT_TRUE(world.settle()) << world.why_not_settled();
  world.run_for(2'000);
  return crowd;
}

TEST(LogSessionAsking, WhatOneMemberMissesIsAskedForWithinTenMilliseconds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    LogWorld world({.delay_ms = 10}, seed);
    SealedMember& alice = world.create("kitchen", "alice");
    SealedMember& bob = world.join("kitchen", "bob");
    ASSERT_TRUE(world.settle());
    world.say(alice, "lost");
    world.run_for(9);
    world.network.loss = 1;
    world.run_for(1);  // it arrives, and goes out
    world.network.loss = 0;
    world.say(alice, "heard");
    world.run_for(20);  // now bob knows that something is missing
    EXPECT_TRUE(bob.log().empty());
    world.run_for(10 + 20);
    EXPECT_EQ(bob.log(), (std::vector<std::string>{"alice: lost", "alice: heard"}));
  }
}

// Everybody misses something, and everybody asks. With questions at one moment the last of them
// would wait for more than three seconds.
TEST(LogSessionAsking, AHostThatCannotTakeAllAnswersAtOnceGetsThemSoon) {
  LogWorld world({.delay_ms = 1});
  const auto crowd = make_crowd(world, 20);
  world.network.host_buffer_bytes = kSmallBufferBytes;
  for (int burst = 0; burst < 4; ++burst) {
    for (SealedMember* const member : crowd) world.say(*member, std::string(1000, 'x'));
    world.run_for(500);
  }
  EXPECT_TRUE(world.settle(500)) << world.why_not_settled();
}

// Who missed the last entry is told of it, also where nobody could be if all were at once.
TEST(LogSessionAsking, AHostWithAHundredMembersLearnsWhereTheLogEnds) {
  LogWorld world({.delay_ms = 1});
  const auto crowd = make_crowd(world, 100);
  world.network.host_buffer_bytes = kSmallBufferBytes;
  world.say(*crowd[0], "good night");
  EXPECT_TRUE(world.settle(800)) << world.why_not_settled();
}

TEST(LogSessionAsking, WhoNeverSaysAnythingKnowsHowLongAnAnswerTakes) {
  LogWorld world({.delay_ms = 10});
  SealedMember& alice = world.create("kitchen", "alice");
  ASSERT_TRUE(world.settle());
  world.run_for(100);
  EXPECT_EQ(alice.session->round_trip_ms(), 20);
}

// What was asked twice may have been answered before the second time.
TEST(LogSessionAsking, TheFirstAnswerIsNoRoundTripIfItWasAskedForTwice) {
  LogWorld world({.delay_ms = 300});
  SealedMember& alice = world.create("kitchen", "alice");
  world.run_for(2'000);
  EXPECT_EQ(alice.session->round_trip_ms(), 0);
}

}  // namespace
}  // namespace chatd
