// That the simulator tells a room that suffers from one that does not.
#include "tests/sim/delays.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "core/base/limits.h"

namespace chatd::sim {
namespace {

constexpr std::uint32_t kRoom = 1;

class DelaysTest : public testing::Test {
 protected:
  // A message that is handed to the kernel when the shard has worked for so many others.
  void say_and_send(MessageId message, std::uint64_t others, std::uint32_t address_turns = 1) {
    delays_.accepted(message, kRoom, address_turns);
    delays_.spend(Delays::Share::kMessages, others * Delays::kMessageNs);
    delays_.left(message);
  }

  const Scenario scenario_{/*seed_number=*/1};
  Delays delays_{scenario_, /*rooms=*/2};
};

TEST_F(DelaysTest, ARoomWithoutEnoughDeliveriesIsNotJudged) {
  for (MessageId message = 1; message < 100; ++message) say_and_send(message, 1'000'000);
  EXPECT_EQ(delays_.worst_room().deliveries, 0u);
}

TEST_F(DelaysTest, OneLongWaitInAHundredIsForgivenAndTwoAreNot) {
  for (MessageId message = 1; message <= 199; ++message) say_and_send(message, 1);
  say_and_send(200, 1'000'000);
  EXPECT_LT(delays_.worst_room().per_mille, 10u);
  for (MessageId message = 201; message <= 203; ++message) say_and_send(message, 1'000'000);
  EXPECT_GT(delays_.worst_room().per_mille, 1000u);
  EXPECT_EQ(delays_.worst_room().room, kRoom);
}

TEST_F(DelaysTest, ATurnOfEachBusyAddressMayComeBefore) {
  for (MessageId message = 1; message <= 100; ++message) {
    say_and_send(message, 9 * kMaxTurnWork, /*address_turns=*/9);
  }
  EXPECT_LE(delays_.worst_room().per_mille, 1000u);
  for (MessageId message = 101; message <= 200; ++message) {
    say_and_send(message, 1000 * kMaxTurnWork, /*address_turns=*/9);
  }
  EXPECT_GT(delays_.worst_room().per_mille, 1000u);
}

TEST_F(DelaysTest, WhatIsDoneWhileTheSocketIsFullIsNobodysDoing) {
  for (MessageId message = 1; message <= 100; ++message) {
    delays_.begin_turn(/*shard=*/0, /*connections=*/0, /*is_send_blocked=*/true);
    say_and_send(message, 1'000'000);
    EXPECT_NE(delays_.excess(/*new_connections=*/0), "");
  }
  EXPECT_EQ(delays_.worst_room().per_mille, 0u);
}

TEST_F(DelaysTest, WhatWaitsInARoomThatGetsBusyIsNotJudged) {
  for (MessageId message = 1; message <= 200; ++message) {
    delays_.accepted(message, kRoom, 1);
    delays_.forget(kRoom);
    delays_.spend(Delays::Share::kMessages, 1'000'000 * Delays::kMessageNs);
    delays_.left(message);
  }
  EXPECT_EQ(delays_.worst_room().deliveries, 0u);
}

TEST_F(DelaysTest, ARoomThatWasBusyOnceIsJudgedAgain) {
  delays_.forget(kRoom);
  for (MessageId message = 1; message <= 200; ++message) say_and_send(message, 1'000'000);
  EXPECT_GT(delays_.worst_room().per_mille, 1000u);
}

TEST_F(DelaysTest, EachShareOfATurnHasABoundOfItsOwn) {
  delays_.begin_turn(/*shard=*/0, /*connections=*/0, /*is_send_blocked=*/false);
  const std::uint64_t datagrams = scenario_.datagrams_per_turn + scenario_.mailbox;
  delays_.spend(Delays::Share::kDatagrams, datagrams * Delays::kTakeInNs);
  EXPECT_EQ(delays_.excess(/*new_connections=*/0), "");
  delays_.spend(Delays::Share::kDatagrams, Delays::kTakeInNs);
  EXPECT_NE(delays_.excess(/*new_connections=*/0), "");
}

TEST_F(DelaysTest, EachShardWorksForItself) {
  delays_.begin_turn(/*shard=*/0, /*connections=*/0, /*is_send_blocked=*/false);
  for (MessageId message = 1; message <= 200; ++message) delays_.accepted(message, kRoom, 1);
  delays_.begin_turn(/*shard=*/1, /*connections=*/0, /*is_send_blocked=*/false);
  delays_.spend(Delays::Share::kMessages, 1'000'000'000'000);
  delays_.begin_turn(/*shard=*/0, /*connections=*/0, /*is_send_blocked=*/false);
  for (MessageId message = 1; message <= 200; ++message) delays_.left(message);
  EXPECT_GE(delays_.worst_room().deliveries, 100u);
  EXPECT_EQ(delays_.worst_room().per_mille, 0u);
}

}  // namespace
}  // namespace chatd::sim
