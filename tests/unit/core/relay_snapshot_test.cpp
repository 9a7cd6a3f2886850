// A relay that goes on where another one has ended: members, tokens, rooms, timers and what is
// counted are as they were, and a snapshot that is not sound is refused.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/wire/v1/notice.h"
#include "tests/support/notices.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr std::uint8_t kListOperation = 0;

RelayConfig config_with_seed(std::uint8_t seed, const Limits& limits = {}) {
  RelayConfig config;
  config.limits = limits;
  config.seed.fill(seed);
  return config;
}

// Two relays: `old_` with some people, and `fresh_`, which knows nothing of them.
class Snapshot : public testing::Test {
 protected:
  void hand_over() {
    old_.take();
    fresh_.now_ms = old_.now_ms;
    const auto restored = fresh_.relay.restore(old_.relay.snapshot());
    ASSERT_TRUE(restored) << restored.error();
  }

  // What comes of a snapshot that somebody has changed.
  std::string refusal_of(const RelaySnapshot& snapshot, const Limits& limits = {}) {
    RelayKit other(config_with_seed(3, limits));
    const auto restored = other.relay.restore(snapshot);
    return restored ? "" : restored.error();
  }

  RelayKit old_{config_with_seed(1)};
  RelayKit fresh_{config_with_seed(2)};
  Person alice_ = old_.create("lobby", "alice", at("127.0.0.1", 1), "secret");
  Person bob_ = old_.join("lobby", "bob", at("127.0.0.1", 2), "secret");
  Person carol_ = old_.create("attic", "carol");
};

TEST_F(Snapshot, MembersGoOnTalking) {
  hand_over();
  fresh_.say(bob_, "still here");
  const auto sent = fresh_.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, alice_.from);
  EXPECT_EQ(sent[0].payload, message_payload("bob", "still here"));
  EXPECT_EQ(fresh_.relay.roster().rooms().size(), 2u);
  EXPECT_EQ(fresh_.relay.roster().members().size(), 3u);
}

// What waits goes along, to whom it is for, and nothing is said twice: also in the middle of a
// room.
TEST_F(Snapshot, WhatWaitsInARoomGoesOutFromTheNextRelay) {
  RelayConfig config = config_with_seed(1);
  config.limits.abuse = AbuseLimits::none();
  RelayKit old(config, /*outbox_limit=*/kMaxTurnWork);
  std::vector<Person> people = {old.create("crowd", "p0")};
  while (people.size() < 2'000) {
    people.push_back(old.join("crowd", "p" + std::to_string(people.size())));
  }
  old.take();
  old.say(people[7], "one");
  old.relay.serve_rooms(old.out);
  ASSERT_TRUE(old.relay.has_waiting());
  const Person late = old.join("crowd", "late");
  old.say(people[8], "two");
  ASSERT_TRUE(old.relay.prepare_snapshot(old.out));

  std::map<std::uint16_t, std::vector<std::string>> heard;
  for (const Outbox::SendGroup& group : old.out.groups()) {
    for (const Endpoint& to : old.out.destinations(group)) {
      heard[to.port].emplace_back(old.out.message(old.out.trains(group)[0], 0).substr(2));
    }
  }
  ASSERT_LT(heard.size(), 1'900u);
  RelayKit next(config, /*outbox_limit=*/kMaxTurnWork);
  ASSERT_TRUE(next.relay.restore(old.relay.snapshot()));
  for (const Sent& sent : next.take()) heard[sent.to.port].push_back(sent.payload);
  const std::string one = message_payload("p7", "one");
  const std::string two = message_payload("p8", "two");
  for (std::size_t i = 0; i < people.size(); ++i) {
    std::vector<std::string> expected;
    if (i != 7) expected.push_back(one);
    if (i != 8) expected.push_back(two);
    ASSERT_EQ(heard[people[i].from.port], expected) << i;
  }
  EXPECT_EQ(heard[late.from.port], std::vector<std::string>{two});
}

TEST_F(Snapshot, NobodyElseGetsIn) {
  hand_over();
  Person eve = bob_;
  eve.from = at("127.0.0.9", 2);
  fresh_.say(eve);
  eve = bob_;
  eve.token.back() = eve.token.back() == '0' ? '1' : '0';
  fresh_.say(eve);
  EXPECT_EQ(fresh_.count(Counter::kDroppedWrongAddress), 1u);
  EXPECT_EQ(fresh_.count(Counter::kDroppedUnknownToken), 1u);
  EXPECT_EQ(fresh_.count(Counter::kMessagesAccepted), 0u);
}

TEST_F(Snapshot, PasswordsHold) {
  hand_over();
  const auto join = [&](const std::string& password) {
    const std::string payload = join_payload({.username = "dan", .port = 7, .password = password});
    return fresh_.ask(kJoinRoom, "lobby", payload).status;
  };
  EXPECT_EQ(join("guess"), 401);
  EXPECT_EQ(join("secret"), 201);
}

TEST_F(Snapshot, APendingMemberIsStillBoundByItsFirstDatagram) {
  const Person late = old_.join_pending("attic", "late", at("127.0.0.1", 9));
  hand_over();
  fresh_.say(carol_, "too early");
  EXPECT_TRUE(fresh_.take().empty());
  fresh_.beat(late);
  fresh_.say(carol_, "welcome");
  EXPECT_EQ(heard_at(fresh_.take(), late.from),
            std::vector<std::string>{message_payload("carol", "welcome")});
}

// Freed slots lie between those in use; whoever comes next gets one of them and disturbs nobody.
TEST_F(Snapshot, SlotsStayAndGapsAreUsed) {
  const Person dan = old_.join("attic", "dan");
  const Person eve = old_.join("attic", "eve");
  const Person fay = old_.join("attic", "fay");
  old_.leave(dan);
  old_.leave(eve);
  hand_over();
  for (const char* name : {"gil", "hal", "ian"}) {
    const Person newcomer = fresh_.join("attic", name);
    fresh_.take();
    fresh_.say(newcomer);
    EXPECT_EQ(heard_at(fresh_.take(), fay.from).size(), 1u) << name;
  }
  fresh_.say(fay);
  EXPECT_EQ(fresh_.take().size(), 4u);  // carol and the three
  fresh_.say(dan);
  EXPECT_EQ(fresh_.count(Counter::kDroppedUnknownToken) + fresh_.count(Counter::kDroppedWrongRoom) +
                fresh_.count(Counter::kDroppedWrongAddress),
            1u);
}

TEST_F(Snapshot, TheHostStillTakesItsRoomAlong) {
  hand_over();
  fresh_.leave(alice_);
  EXPECT_EQ(heard_at(fresh_.take(), bob_.from),
            (std::vector<std::string>{left_notice("alice"), disconnected_notice("bob")}));
}

TEST_F(Snapshot, SilenceIsCountedFromWhenItBegan) {
  const TimeMs idle_ms = Limits{}.idle_timeout_ms;
  old_.now_ms += idle_ms / 2;
  old_.beat(bob_);
  old_.beat(alice_);
  hand_over();
  fresh_.now_ms += idle_ms / 2;
  fresh_.relay.on_deadline(fresh_.now_ms, fresh_.out);
  EXPECT_EQ(heard_at(fresh_.take(), carol_.from),
            std::vector<std::string>{disconnected_notice("carol")});
  EXPECT_EQ(fresh_.relay.roster().members().size(), 2u);
  fresh_.now_ms += idle_ms / 2;
  fresh_.relay.on_deadline(fresh_.now_ms, fresh_.out);
  fresh_.take();
  EXPECT_EQ(fresh_.relay.roster().members().size(), 0u);
}

TEST_F(Snapshot, RefusalsInARowGoOn) {
  const auto refuse = [&](RelayKit& kit) {
    kit.relay.on_unreachable(kit.now_ms, bob_.from, kit.out);
    kit.take();
  };
  for (unsigned i = 0; i < kMaxUnreachable; ++i) refuse(old_);
  hand_over();
  EXPECT_EQ(fresh_.count(Counter::kMembersRefused), 0u);
  refuse(fresh_);
  EXPECT_EQ(fresh_.count(Counter::kMembersRefused), 1u);
}

TEST_F(Snapshot, RoomsAreListedInTheirOrder) {
  old_.leave(carol_);
  old_.create("attic", "carol");
  old_.create("cellar", "dan");
  const std::string before = old_.ask(kListOperation, "", "").payload;
  hand_over();
  EXPECT_EQ(fresh_.ask(kListOperation, "", "").payload, before);
}

TEST_F(Snapshot, CountersAndMeasuresGoOn) {
  old_.say(alice_);
  hand_over();
  fresh_.say(alice_);
  fresh_.take();
  EXPECT_EQ(fresh_.count(Counter::kMessagesAccepted), 2u);
  EXPECT_EQ(fresh_.count(Counter::kMembersJoined), 3u);
  EXPECT_TRUE(fresh_.every_datagram_is_accounted_for());
  EXPECT_EQ(fresh_.relay.histograms().receivers.counts()[1], 2u);
}

// Two rooms are open from one address that may have two, and one connection from one that may have
// one; when they are given back, there is room again.
TEST(SnapshotOfAddresses, WhatIsOpenStaysCounted) {
  Limits limits;
  limits.abuse.max_address_rooms = 2;
  limits.abuse.max_address_connections = 1;
  RelayKit old(config_with_seed(1, limits));
  const Endpoint home = at("192.0.2.1", 5);
  const Person host = old.create("one", "ann", home);
  old.create("two", "ann", home);
  ASSERT_TRUE(old.relay.open_connection(old.now_ms, home.ip));
  old.take();

  RelayKit fresh(config_with_seed(2, limits));
  ASSERT_TRUE(fresh.relay.restore(old.relay.snapshot()));
  const std::string payload = join_payload({.username = "ann", .port = 5});
  const auto create = [&] { return fresh.ask(1, "three", payload, home.ip).status; };
  EXPECT_EQ(create(), 429);
  EXPECT_FALSE(fresh.relay.open_connection(fresh.now_ms, home.ip));
  fresh.leave(host);
  fresh.relay.release_connection(home.ip);
  EXPECT_EQ(create(), 201);
  EXPECT_TRUE(fresh.relay.open_connection(fresh.now_ms, home.ip));
}

TEST_F(Snapshot, OneThatIsNotSoundIsRefused) {
  old_.take();
  const RelaySnapshot sound = old_.relay.snapshot();
  EXPECT_EQ(refusal_of(sound), "");
  const auto refusal_after = [&](auto change) {
    RelaySnapshot changed = sound;
    change(changed.rooms);
    return refusal_of(changed);
  };
  using Rooms = std::vector<RoomSnapshot>;
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].name = "bell \a"; }),
            "a room has no valid name");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[1].name = rooms[0].name + "\u200b"; }),
            "two rooms have names that look the same");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].host = 77; }), "a room has no host");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].members.clear(); }), "a room has no host");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].members[1].username = ""; }),
            "a member has no valid name");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].members[1].username = "Alice"; }),
            "two members of a room have names that look the same");
  EXPECT_EQ(refusal_after([](Rooms& rooms) { rooms[0].members[1].tcp_peer = ip("224.0.0.1"); }),
            "a member's address is not that of one host");
  const auto with_token = [&](std::uint8_t shard, std::uint32_t slot) {
    return refusal_after([&](Rooms& rooms) { rooms[0].members[1].token = Token(shard, slot, {}); });
  };
  EXPECT_EQ(with_token(1, 1), "a member's token is of another shard");
  EXPECT_EQ(with_token(0, 2),
            "a member's slot (2) is taken, or beyond what --max-members allows now");
  EXPECT_EQ(with_token(0, Limits{}.max_members),
            "a member's slot (1000000) is taken, or beyond what --max-members allows now");
}

TEST_F(Snapshot, OneThatIsTooLargeIsRefused) {
  old_.take();
  const RelaySnapshot snapshot = old_.relay.snapshot();
  Limits limits;
  limits.max_rooms = 1;
  EXPECT_EQ(refusal_of(snapshot, limits), "there are 2 rooms, and --max-rooms is 1 now");
  limits = {};
  limits.max_members = 2;
  EXPECT_EQ(refusal_of(snapshot, limits), "there are 3 members, and --max-members is 2 now");
  limits = {};
  limits.max_room_members = 1;
  EXPECT_EQ(refusal_of(snapshot, limits),
            "there are 2 members in one room, and --max-room-members is 1 now");
}

TEST_F(Snapshot, ARoomOfAnotherShardIsRefused) {
  old_.take();
  RelayConfig config = config_with_seed(3);
  config.shards = ShardMap(2, {});
  config.shard = static_cast<std::uint8_t>(1 - config.shards.of_room("lobby"));
  RelayKit other(config);
  const auto restored = other.relay.restore(old_.relay.snapshot());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error(), "a room belongs to another shard");
}

}  // namespace
}  // namespace chatd
