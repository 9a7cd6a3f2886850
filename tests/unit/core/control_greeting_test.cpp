// The frame that a new connection gets before it asks anything.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

class Greeting : public testing::Test {
 protected:
  JsonObject greeting() {
    std::string bytes = kit_.greeting();
    EXPECT_LE(bytes.size(), 1'400u);
    const auto frame = take_frame(bytes);
    EXPECT_TRUE(frame.has_value());
    EXPECT_EQ(bytes, "");
    EXPECT_EQ(frame->operation, kListRooms);
    EXPECT_EQ(frame->state, kRequest);
    EXPECT_EQ(frame->room, "");
    return JsonObject(frame->payload);
  }

  RelayKit kit_;
};

TEST_F(Greeting, IsThereFromTheStart) {
  EXPECT_EQ(greeting().number("total"), 0);
}

TEST_F(Greeting, FollowsEveryArrivalAndDeparture) {
  const Person alice = kit_.create("lobby", "alice");
  EXPECT_EQ(greeting().number("total"), 1);
  const Person bob = kit_.join("lobby", "bob");
  EXPECT_EQ(greeting().object("rooms").object("lobby").number("count"), 2);
  kit_.leave(bob);
  EXPECT_EQ(greeting().object("rooms").object("lobby").number("count"), 1);
  kit_.leave(alice);
  EXPECT_EQ(greeting().number("total"), 0);
}

TEST_F(Greeting, IsTheSameForManyConnections) {
  const Person alice = kit_.create("lobby", "alice");
  const std::string text = kit_.greeting();
  kit_.beat(alice);
  kit_.say(alice);
  EXPECT_EQ(kit_.greeting(), text);
}

TEST_F(Greeting, StaysWithinOneRecvOfOldClients) {
  for (int i = 0; i < 300; ++i) {
    kit_.create(std::string(static_cast<std::size_t>(i % 200), 'r') + std::to_string(i), "alice");
    EXPECT_EQ(greeting().number("total"), i + 1);
  }
}

}  // namespace
}  // namespace chatd
