// What an operator asks of a relay that serves: new limits, a drain, a room or a member gone.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/wire/v1/notice.h"
#include "tests/support/notices.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

class Operator : public testing::Test {
 protected:
  Answer try_to_create(std::string_view room) {
    return kit_.ask(kCreateRoom, room, join_payload({.username = "eve", .port = 7}));
  }

  RelayKit kit_;
  Person alice_ = kit_.create("lobby", "alice");
  Person bob_ = kit_.join("lobby", "bob");
  Person carol_ = kit_.create("attic", "carol");
};

TEST_F(Operator, KicksAMember) {
  kit_.take();
  EXPECT_TRUE(kit_.relay.kick(kit_.now_ms, "lobby", "bob", kit_.out));
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(heard_at(sent, bob_.from), std::vector<std::string>{disconnected_notice("bob")});
  EXPECT_EQ(heard_at(sent, alice_.from), std::vector<std::string>{left_notice("bob")});
  EXPECT_EQ(kit_.count(Counter::kMembersKicked), 1u);
  kit_.say(bob_);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 1u);
}

TEST_F(Operator, KicksAHostAndItsRoomWithIt) {
  kit_.take();
  EXPECT_TRUE(kit_.relay.kick(kit_.now_ms, "lobby", "alice", kit_.out));
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, alice_.from), std::vector<std::string>{disconnected_notice("alice")});
  EXPECT_EQ(heard_at(sent, bob_.from),
            (std::vector<std::string>{left_notice("alice"), disconnected_notice("bob")}));
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 1u);
}

TEST_F(Operator, KicksNobodyWhoIsNotThere) {
  kit_.take();
  EXPECT_FALSE(kit_.relay.kick(kit_.now_ms, "lobby", "carol", kit_.out));
  EXPECT_FALSE(kit_.relay.kick(kit_.now_ms, "cellar", "bob", kit_.out));
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(kit_.relay.roster().members().size(), 3u);
}

TEST_F(Operator, ClosesARoomAndSettlesWhatWasSaid) {
  kit_.take();
  kit_.say(alice_, "last words");
  EXPECT_TRUE(kit_.relay.close_room("lobby"));
  EXPECT_FALSE(kit_.relay.close_room("lobby"));
  const auto heard = heard_at(kit_.take(), bob_.from);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0], message_payload("alice", "last words"));
  EXPECT_EQ(heard[1], disconnected_notice("bob"));
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 1u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 1u);
}

TEST_F(Operator, DrainLetsNobodyInAndTellsAll) {
  const Person late = kit_.join_pending("attic", "late", at("127.0.0.1", 9));
  kit_.take();
  kit_.say(alice_, "before");
  kit_.relay.start_drain();
  EXPECT_TRUE(kit_.relay.has_waiting());
  const auto sent = kit_.take();
  const std::string notice(kDrainingDatagram.substr(2));
  EXPECT_EQ(heard_at(sent, alice_.from), std::vector<std::string>{notice});
  EXPECT_EQ(heard_at(sent, bob_.from),
            (std::vector<std::string>{message_payload("alice", "before"), notice}));
  EXPECT_EQ(heard_at(sent, carol_.from), std::vector<std::string>{notice});
  EXPECT_EQ(kit_.count(Counter::kNoticesDropped), 1u) << "late, who cannot be reached yet";
  EXPECT_FALSE(kit_.relay.has_waiting()) << "it is said once";

  const Answer refused = try_to_create("cellar");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", join_payload({.username = "eve", .port = 7})).status, 503);
  kit_.say(bob_, "still here");
  EXPECT_EQ(heard_at(kit_.take(), alice_.from),
            std::vector<std::string>{message_payload("bob", "still here")});
  kit_.relay.start_drain();  // a second time changes nothing
  EXPECT_TRUE(kit_.take().empty());
}

// With as small an outbox as this, turn by turn, and messages go on in between.
TEST(OperatorOfMany, TellsThemAsFarAsTheOutboxGoes) {
  constexpr std::uint32_t kRooms = 200;
  RelayConfig config;
  config.limits.abuse = AbuseLimits::none();
  RelayKit kit(config, 8);
  std::vector<Person> hosts;
  for (std::uint32_t i = 0; i < kRooms; ++i) {
    hosts.push_back(kit.create("room" + std::to_string(i), "host"));
  }
  ASSERT_TRUE(kit.relay.close_room("room7"));
  kit.take();
  kit.relay.start_drain();
  std::size_t told = 0;
  std::uint32_t turns = 0;
  for (; kit.relay.has_waiting(); ++turns) {
    kit.relay.serve_rooms(kit.out);
    for (const auto& group : kit.out.groups()) told += kit.out.destinations(group).size();
    kit.out.clear();
  }
  EXPECT_EQ(told, kRooms - 1);
  EXPECT_GT(turns, 10u);
}

TEST_F(Operator, AKickedMemberHearsFirstWhatWasSaidBefore) {
  kit_.take();
  kit_.say(alice_, "last words");
  EXPECT_TRUE(kit_.relay.kick(kit_.now_ms, "lobby", "bob", kit_.out));
  EXPECT_EQ(heard_at(kit_.take(), bob_.from),
            (std::vector<std::string>{message_payload("alice", "last words"),
                                      disconnected_notice("bob")}));
}

// A rate that was far too low by mistake must not mute anybody after it has been corrected.
TEST_F(Operator, NewLimitsForgiveWhatWasSpentUnderTheOldOnes) {
  Limits limits;
  limits.abuse.max_member_bytes_per_s = 1;
  kit_.relay.set_limits(limits);
  for (int i = 0; i < 3; ++i) kit_.say(alice_);
  kit_.take();
  EXPECT_EQ(kit_.count(Counter::kMessagesOverLimit), 2u);
  kit_.relay.set_limits(Limits{});
  kit_.say(alice_, "again");
  EXPECT_EQ(heard_at(kit_.take(), bob_.from),
            std::vector<std::string>{message_payload("alice", "again")});
}

TEST_F(Operator, NewLimitsHoldForMembersWhoAreThere) {
  kit_.take();
  Limits limits;
  limits.abuse.max_member_messages_per_s = 1;  // two at once
  kit_.relay.set_limits(limits);
  kit_.now_ms += 10'000;
  for (int i = 0; i < 5; ++i) kit_.say(alice_);
  EXPECT_EQ(kit_.count(Counter::kMessagesOverLimit), 3u);
}

TEST_F(Operator, AShorterIdleTimeoutHoldsForMembersWhoAreThere) {
  kit_.now_ms += 50'000;
  kit_.beat(alice_);
  Limits limits;
  limits.idle_timeout_ms = 60'000;
  kit_.relay.set_limits(limits);
  kit_.take();
  EXPECT_LE(kit_.relay.next_deadline().value(), RelayKit::kStartMs + 60'000);
  kit_.now_ms = RelayKit::kStartMs + 60'000;
  kit_.relay.on_deadline(kit_.now_ms, kit_.out);
  EXPECT_EQ(kit_.count(Counter::kMembersTimedOut), 2u) << "bob and carol; alice was heard";
}

TEST_F(Operator, SizesStayAsTheyWere) {
  Limits limits;
  limits.max_rooms = 2;
  limits.max_members = 3;
  limits.max_room_members = 2;
  kit_.relay.set_limits(limits);
  EXPECT_EQ(try_to_create("cellar").status, 201);
  EXPECT_EQ(kit_.relay.limits().max_members, Limits{}.max_members);
}

}  // namespace
}  // namespace chatd
