// Members whose address keeps refusing (ICMP port unreachable): more than three in a row, with no
// datagram between, removes them, and the other members lose nothing.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

class Refusals : public testing::Test {
 protected:
  void refuse(const Endpoint& destination, int times) {
    for (int i = 0; i < times; ++i) kit_.relay.on_unreachable(kit_.now_ms, destination, kit_.out);
  }
  bool is_member(const Person& person) {
    const auto room = kit_.relay.roster().find_room(person.room);
    return room && kit_.relay.roster().find_member(*room, person.name);
  }

  RelayKit kit_;
  const Person alice_ = kit_.create("lobby", "alice");
  const Person bob_ = kit_.join("lobby", "bob");
  const Person carol_ = kit_.join("lobby", "carol");
  const std::vector<Sent> notices_ = kit_.take();
};

TEST_F(Refusals, ThreeAreForgivenAndTheFourthRemoves) {
  refuse(bob_.from, 3);
  EXPECT_TRUE(is_member(bob_));
  EXPECT_TRUE(kit_.take().empty());
  refuse(bob_.from, 1);
  EXPECT_FALSE(is_member(bob_));
  EXPECT_EQ(kit_.count(Counter::kMembersRefused), 1u);
  const auto sent = kit_.take();
  const auto to_bob = heard_at(sent, bob_.from);
  ASSERT_EQ(to_bob.size(), 1u);
  EXPECT_EQ(JsonObject(to_bob[0]).text("message"), "You have been disconnected");
  for (const Person& other : {alice_, carol_}) {
    const auto heard = heard_at(sent, other.from);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(JsonObject(heard[0]).text("message"), "bob left");
  }
  kit_.say(alice_);
  EXPECT_EQ(kit_.take().size(), 1u);
}

TEST_F(Refusals, AnyAuthenticatedDatagramStartsTheCountAgain) {
  for (int round = 0; round < 5; ++round) {
    refuse(bob_.from, 3);
    if (round % 2 == 0) {
      kit_.beat(bob_);
    } else {
      kit_.say(bob_);
    }
  }
  EXPECT_TRUE(is_member(bob_));
  refuse(bob_.from, 4);
  EXPECT_FALSE(is_member(bob_));
}

TEST_F(Refusals, AForgedDatagramDoesNot) {
  refuse(bob_.from, 3);
  kit_.deliver(bob_.from, encode_datagram("lobby", std::string(32, 'f'), ""));
  kit_.deliver(alice_.from, encode_datagram("lobby", bob_.token, ""));
  refuse(bob_.from, 1);
  EXPECT_FALSE(is_member(bob_));
}

TEST_F(Refusals, CountForThatMemberAlone) {
  refuse(bob_.from, 3);
  refuse(carol_.from, 3);
  EXPECT_TRUE(is_member(bob_));
  EXPECT_TRUE(is_member(carol_));
  kit_.say(alice_);
  EXPECT_TRUE(is_member(bob_));
}

TEST_F(Refusals, FromWhereNobodyIsDoNothing) {
  refuse(at("192.0.2.99", 1), 100);
  refuse(Endpoint{}, 100);
  EXPECT_EQ(kit_.relay.roster().members().size(), 3u);
  EXPECT_TRUE(kit_.take().empty());
}

TEST_F(Refusals, OfTheHostEndTheRoom) {
  refuse(alice_.from, 4);
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 0u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 0u);
  EXPECT_EQ(heard_at(kit_.take(), bob_.from).size(), 2u);  // alice left, disconnected
}

TEST_F(Refusals, RemoveAllMembersAtTheEndpointInTheEnd) {
  const Endpoint shared = at("192.0.2.7", 7);
  std::vector<Person> people;
  for (int i = 0; i < 10; ++i) {
    people.push_back(kit_.join("lobby", "m" + std::to_string(i), shared));
  }
  kit_.take();
  refuse(shared, 3);
  for (const Person& person : people) EXPECT_TRUE(is_member(person));
  // Each message to them draws refusals; ten more are enough for ten members.
  refuse(shared, 10);
  for (const Person& person : people) EXPECT_FALSE(is_member(person));
  EXPECT_FALSE(kit_.relay.roster().find_bound(shared).has_value());
  for (const Person& other : {alice_, bob_, carol_}) EXPECT_TRUE(is_member(other));
}

TEST_F(Refusals, AHostTakesItsGuestsAtTheSameEndpointAlong) {
  const Endpoint shared = at("192.0.2.7", 7);
  const Person host = kit_.create("den", "host", shared);
  kit_.join("den", "guest1", shared);
  kit_.join("den", "guest2", shared);
  const Person elsewhere = kit_.join("lobby", "elsewhere", shared);
  refuse(shared, 10);
  EXPECT_FALSE(kit_.relay.roster().find_room("den").has_value());
  EXPECT_FALSE(is_member(elsewhere));
  EXPECT_FALSE(kit_.relay.roster().find_bound(shared).has_value());
  EXPECT_EQ(kit_.relay.roster().members().size(), 3u);
}

TEST_F(Refusals, OfAnAddressThatAMemberHasLeftAreNotHeld) {
  RelayConfig config;
  config.limits.roaming_same_ip = true;
  RelayKit kit(config);
  Person alice = kit.create("lobby", "alice", at("192.0.2.7", 7));
  const Endpoint before = alice.from;
  alice.from.port = 8;
  kit.beat(alice);
  for (int i = 0; i < 10; ++i) kit.relay.on_unreachable(kit.now_ms, before, kit.out);
  EXPECT_EQ(kit.relay.roster().members().size(), 1u);
}

}  // namespace
}  // namespace chatd
