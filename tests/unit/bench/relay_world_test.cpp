// What the benchmarks of the relay measure is a relay that really delivers.
#include "bench/micro/relay_world.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace chatd::bench {
namespace {

std::uint64_t take_deliveries(RelayWorld& world) {
  std::uint64_t deliveries = 0;
  while (world.relay().has_waiting()) {
    world.relay().serve_rooms(world.outbox());
    for (const Outbox::SendGroup& group : world.outbox().groups()) {
      for (const Outbox::Train& train : world.outbox().trains(group)) {
        deliveries += std::uint64_t{train.message_count} * group.destination_count;
      }
    }
    world.outbox().clear();
  }
  return deliveries;
}

TEST(RelayWorld, EveryMessageGoesToEveryoneElseInTheRoom) {
  RelayWorld world(3, 10);
  for (std::uint32_t member = 0; member < 30; ++member) world.say(member);
  EXPECT_EQ(take_deliveries(world), 30u * 9);
  EXPECT_EQ(world.relay().counters()[Counter::kMessagesAccepted], 30u);
  world.say(5);
  world.serve_rooms();
  EXPECT_FALSE(world.relay().has_waiting());
  EXPECT_TRUE(world.outbox().is_empty());
}

TEST(RelayWorld, HeartbeatsAreHeartbeats) {
  RelayWorld world(1, 2);
  world.beat(0);
  world.beat(1);
  EXPECT_EQ(world.relay().counters()[Counter::kHeartbeats], 2u);
}

TEST(RelayWorld, WhoJoinsAndLeavesCanDoSoAgain) {
  RelayWorld world(2, 3);
  for (int i = 0; i < 100; ++i) world.join_and_leave();
  EXPECT_EQ(world.relay().counters()[Counter::kLeaves], 100u);
  EXPECT_EQ(world.relay().roster().members().size(), 6u);
}

TEST(RelayWorld, MessagesHaveTheSizeAskedFor) {
  EXPECT_EQ(message_payload("alice", 128).size(), 128u);
  EXPECT_EQ(message_payload("alice", 1), R"({"sender":"alice","message":""})");
}

}  // namespace
}  // namespace chatd::bench
