// Idle members in virtual time: removed after the timeout, kept by anything valid that they say.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr std::uint32_t kIdleMs = 10'000;

RelayConfig idle_config() {
  RelayConfig config;
  config.limits.idle_timeout_ms = kIdleMs;
  return config;
}

class Deadlines : public testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(kit_.every_datagram_is_accounted_for()); }

  // Moves the clock and lets the relay look at it.
  void pass(TimeMs ms) {
    kit_.now_ms += ms;
    kit_.relay.on_deadline(kit_.now_ms, kit_.out);
  }
  bool is_member(const Person& person) {
    const auto room = kit_.relay.roster().find_room(person.room);
    return room && kit_.relay.roster().find_member(*room, person.name);
  }

  RelayKit kit_{idle_config()};
};

TEST_F(Deadlines, ThereIsNoneWithoutMembers) {
  EXPECT_FALSE(kit_.relay.next_deadline().has_value());
  const Person alice = kit_.create("lobby", "alice");
  ASSERT_TRUE(kit_.relay.next_deadline().has_value());
  EXPECT_LE(*kit_.relay.next_deadline(), kit_.now_ms + kIdleMs);
  EXPECT_GT(*kit_.relay.next_deadline(), kit_.now_ms);
  kit_.leave(alice);
  EXPECT_FALSE(kit_.relay.next_deadline().has_value());
}

TEST_F(Deadlines, ASilentMemberIsRemovedAndTold) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  kit_.take();
  pass(kIdleMs - 1);
  kit_.beat(alice);
  EXPECT_TRUE(is_member(bob));
  EXPECT_TRUE(kit_.take().empty());
  pass(1);
  EXPECT_FALSE(is_member(bob));
  EXPECT_TRUE(is_member(alice));
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 2u);
  const auto to_bob = heard_at(sent, bob.from);
  ASSERT_EQ(to_bob.size(), 1u);
  EXPECT_EQ(JsonObject(to_bob[0]).text("message"), "You have been disconnected");
  EXPECT_EQ(JsonObject(to_bob[0]).text("username"), "bob");
  const auto to_alice = heard_at(sent, alice.from);
  ASSERT_EQ(to_alice.size(), 1u);
  EXPECT_EQ(JsonObject(to_alice[0]).text("message"), "bob left");
  EXPECT_EQ(kit_.count(Counter::kMembersTimedOut), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersLeft), 0u);
  kit_.say(bob);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 1u);
}

TEST_F(Deadlines, WithTheHostGoesTheRoom) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  pass(kIdleMs - 1);
  kit_.beat(bob);
  kit_.take();
  pass(1);
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 0u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 0u);
  EXPECT_EQ(heard_at(kit_.take(), bob.from).size(), 2u);  // alice left, disconnected
  EXPECT_EQ(kit_.count(Counter::kMembersTimedOut), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersDisconnected), 1u);
  EXPECT_FALSE(kit_.relay.next_deadline().has_value());
}

TEST_F(Deadlines, HeartbeatsAndMessagesKeepAMember) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  for (int i = 0; i < 20; ++i) {
    pass(kIdleMs - 1);
    kit_.beat(alice);
    kit_.say(bob);
  }
  EXPECT_TRUE(is_member(alice));
  EXPECT_TRUE(is_member(bob));
  pass(kIdleMs - 1);
  EXPECT_TRUE(is_member(alice));
  pass(1);
  EXPECT_FALSE(is_member(alice));
}

TEST_F(Deadlines, WhatIsDroppedKeepsNobody) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  pass(kIdleMs - 1);
  kit_.beat(alice);
  kit_.send(bob, message_payload("alice", "x"));                              // in another's name
  kit_.send(bob, "not JSON");                                                 // malformed
  kit_.deliver(at("127.0.0.9", 9), encode_datagram("lobby", bob.token, ""));  // from elsewhere
  kit_.deliver(bob.from, encode_datagram("den", bob.token, ""));              // another room
  pass(1);
  EXPECT_FALSE(is_member(bob));
}

TEST_F(Deadlines, APendingMemberIsRemovedToo) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join_pending("lobby", "bob", at("127.0.0.1", 5));
  pass(kIdleMs - 1);
  kit_.beat(alice);
  kit_.take();
  pass(1);
  EXPECT_FALSE(is_member(bob));
  for (const Sent& one : kit_.take()) EXPECT_EQ(one.to, alice.from);
}

// The event loop sleeps until next_deadline(). If it never moved on, the loop would spin.
TEST_F(Deadlines, TheNextDeadlineIsAlwaysAhead) {
  const Person alice = kit_.create("lobby", "alice");
  int wakeups = 0;
  const TimeMs end_ms = kit_.now_ms + 100 * kIdleMs;
  while (kit_.now_ms < end_ms) {
    ASSERT_TRUE(kit_.relay.next_deadline().has_value());
    ASSERT_GT(*kit_.relay.next_deadline(), kit_.now_ms);
    const TimeMs heard_ms = kit_.now_ms;
    kit_.now_ms = std::min(*kit_.relay.next_deadline(), heard_ms + kIdleMs - 1);
    kit_.beat(alice);
    kit_.relay.on_deadline(kit_.now_ms, kit_.out);
    ++wakeups;
  }
  EXPECT_TRUE(is_member(alice));
  EXPECT_LT(wakeups, 600);
}

TEST_F(Deadlines, ALongSleepRemovesEveryoneAtOnce) {
  for (int i = 0; i < 50; ++i) {
    kit_.create("room" + std::to_string(i), "alice");
    kit_.join("room" + std::to_string(i), "bob");
    kit_.now_ms += 777;
  }
  pass(1'000'000'000'000);
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 0u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 0u);
}

TEST_F(Deadlines, GoOnWhenTheOutboxWasFull) {
  RelayKit kit(idle_config(), /*outbox_limit=*/64);
  const Person host = kit.create("lobby", "host");
  constexpr std::uint64_t kGuests = 1'000;
  for (std::uint64_t i = 0; i < kGuests; ++i) {
    kit.join("lobby", "m" + std::to_string(i));
    kit.take();
  }
  kit.now_ms += kIdleMs - 1;
  kit.beat(host);
  kit.now_ms += 1;
  int turns = 0;
  while (kit.relay.roster().members().size() > 1 && turns < 200) {
    ASSERT_LE(*kit.relay.next_deadline(), kit.now_ms);  // there is work left: do not sleep
    kit.relay.on_deadline(kit.now_ms, kit.out);
    kit.take();
    ++turns;
  }
  EXPECT_EQ(kit.relay.roster().members().size(), 1u);
  EXPECT_EQ(kit.count(Counter::kMembersTimedOut), kGuests);
  EXPECT_GT(turns, 3);
  kit.relay.on_deadline(kit.now_ms, kit.out);  // the host's timer, which had no turn yet
  EXPECT_GT(*kit.relay.next_deadline(), kit.now_ms);
}

TEST_F(Deadlines, NothingExpiresIntoAFullOutbox) {
  RelayKit kit(idle_config(), /*outbox_limit=*/1);
  kit.create("lobby", "alice");
  kit.now_ms += kIdleMs;
  kit.out.open(Outbox::Kind::kNotice, std::string_view("\0\0x", 3));
  ASSERT_TRUE(kit.out.is_full());
  kit.relay.on_deadline(kit.now_ms, kit.out);
  EXPECT_EQ(kit.relay.roster().members().size(), 1u);
  kit.out.clear();
  kit.relay.on_deadline(kit.now_ms, kit.out);
  EXPECT_EQ(kit.relay.roster().members().size(), 0u);
}

}  // namespace
}  // namespace chatd
