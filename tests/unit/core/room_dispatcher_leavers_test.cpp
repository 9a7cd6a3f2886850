// Who has gone: it gets what was said before, and its farewell, without taking much of a turn.
#include "core/room/dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/wire/v1/notice.h"
#include "tests/unit/core/room_dispatcher_kit.h"

namespace chatd {
namespace {

using namespace test;

class DispatcherLeavers : public DispatcherKit {};

TEST_F(DispatcherLeavers, LastWordsAreHeard) {
  const auto people = make_room(kit_, "lobby", 3);
  kit_.say(people[2], "bye");
  kit_.leave(people[2]);
  kit_.say(people[0], "the end");
  kit_.leave(people[0]);  // the host: the room is gone
  const auto heard = heard_at(kit_.take(), people[1].from);
  ASSERT_GE(heard.size(), 4u);
  EXPECT_EQ(heard[0], message_payload("p2", "bye"));
  EXPECT_EQ(heard[2], message_payload("p0", "the end"));
  EXPECT_FALSE(kit_.relay.has_waiting());
}

// Who says something while its room ends is told why, and nothing else: a client takes the first
// answer that it gets for the reason.
TEST_F(DispatcherLeavers, WhoSpeaksAsTheRoomEndsIsToldThatAndNotThatItIsUnknown) {
  const auto people = make_room(kit_, "lobby", 2);
  kit_.leave(people[0]);  // the host
  kit_.say(people[1], "still here");
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 0u);
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedUnanswered), 1u);
  EXPECT_EQ(heard_at(kit_.take(), people[1].from).back(), disconnected_notice("p1"));
  kit_.say(people[1], "still here");
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 1u) << "now it is a stranger";
}

// Nothing is sent ahead of its turn for somebody who comes or goes; each has a cursor of its own.
TEST_F(DispatcherLeavers, WhoComesAndGoesInTheMiddleOfALargeRoomCostsNoTurn) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  auto people = make_room(kit, "crowd", 2'000);
  for (int i = 0; i < 3; ++i) kit.send(people[0], payload(people[0], i));
  kit.relay.serve_rooms(kit.out);
  ASSERT_TRUE(kit.relay.has_waiting());
  const std::size_t groups = kit.out.groups().size();
  kit.leave(people[10]);     // has got all three
  kit.leave(people[1'990]);  // none of them: they are still for it
  const Person late = kit.join("crowd", "late");
  kit.send(people[0], payload(people[0], 3));
  EXPECT_EQ(kit.out.groups().size(), groups) << "and nothing went out for that";

  std::map<std::uint16_t, Texts> heard;
  for (const Sent& sent : kit.take()) heard[sent.to.port].push_back(sent.payload);
  const Texts three = {payload(people[0], 0), payload(people[0], 1), payload(people[0], 2)};
  Texts four = three;
  four.push_back(payload(people[0], 3));
  for (std::size_t i = 1; i < people.size(); ++i) {
    const Texts expected = i == 10 || i == 1'990 ? three : four;
    ASSERT_EQ(heard[people[i].from.port], expected) << i;
  }
  EXPECT_EQ(heard[late.from.port], Texts{four.back()});
  EXPECT_EQ(kit.count(Counter::kDeliveriesPlanned), 3u * 1'999 + 1'998);
}

// A member's slot is used again by the next who comes: nobody is taken for the one before.
TEST_F(DispatcherLeavers, ASuccessorInAMembersSlotIsNotItsPredecessor) {
  const auto people = make_room(kit_, "lobby", 3);
  kit_.say(people[2], "last words");
  kit_.leave(people[2]);
  const Person next = kit_.join("lobby", "next");
  kit_.say(people[0], "hello");
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, next.from), Texts{message_payload("p0", "hello")});
  const auto heard = heard_at(sent, people[1].from);
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0], message_payload("p2", "last words"));
  EXPECT_EQ(heard[3], message_payload("p0", "hello"));
}

// A room that ends is gone at once; its members hear what waited, but not their own words, and then
// that it is over, a bounded number of them a turn.
TEST_F(DispatcherLeavers, ARoomThatEndsIsHeardToItsEndInTurns) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto people = make_room(kit, "crowd", 2'000);
  const auto pair = make_room(kit, "pair", 2);
  kit.send(people[7], payload(people[7], 1));
  kit.leave(people[0]);
  EXPECT_EQ(kit.relay.roster().members().size(), 2u);
  EXPECT_FALSE(kit.relay.roster().find_room("crowd"));
  kit.say(pair[0], "hello");

  std::map<std::uint16_t, Texts> heard;
  std::size_t turns = 0;
  std::size_t pair_has_heard_in = 0;
  for (; kit.relay.has_waiting(); ++turns) {
    std::vector<Sent> sent;
    kit.relay.serve_rooms(kit.out);
    EXPECT_LT(kit.out.groups().size(), 1'000u);
    for (const Outbox::SendGroup& group : kit.out.groups()) {
      for (const Endpoint& to : kit.out.destinations(group)) {
        heard[to.port].emplace_back(kit.out.message(kit.out.trains(group)[0], 0).substr(2));
      }
    }
    if (pair_has_heard_in == 0 && heard.contains(pair[1].from.port)) pair_has_heard_in = turns + 1;
    kit.out.clear();
  }
  EXPECT_LE(pair_has_heard_in, 2u);
  EXPECT_GT(turns, 4u);
  for (std::size_t i = 1; i < people.size(); ++i) {
    Texts expected = {payload(people[7], 1), disconnected_notice(people[i].name)};
    if (i == 7) expected.erase(expected.begin());
    ASSERT_EQ(heard[people[i].from.port], expected) << i;
  }
}

// What was said to one that has gone gives way, and its farewell still waits: it is nobody's reader
// any more when the next message comes.
TEST_F(DispatcherLeavers, WhoHasGoneIsNotCountedForWhatIsSaidAfterwards) {
  RelayConfig config = this->config();
  config.message_store_blocks = 2;
  RelayKit kit(config);
  const auto people = make_room(kit, "lobby", 3);
  kit.say(people[0], "a");
  kit.leave(people[2]);  // its notice takes what was left
  for (const std::string text : {"b", "c", "d"}) {
    kit.say(people[0], text);
    const auto sent = kit.take();
    EXPECT_EQ(heard_at(sent, people[1].from).back(), message_payload("p0", text));
    EXPECT_FALSE(kit.relay.has_waiting());
  }
  const std::uint64_t dropped = kit.count(Counter::kDroppedQueueFull);
  EXPECT_EQ(kit.count(Counter::kDeliveriesPlanned), 2 + 1 + 1 + 1);
  EXPECT_GT(dropped, 0u);
  EXPECT_LE(dropped, 2u);
}

// Whoever goes and comes again at one endpoint hears everything in its order.
TEST_F(DispatcherLeavers, WhoHasGoneFirstIsServedFirst) {
  const auto people = make_room(kit_, "lobby", 2);
  const Endpoint endpoint = at("127.0.0.9", 9);
  Texts said;
  for (int i = 0; i < 3; ++i) {
    const Person guest = kit_.join("lobby", "guest" + std::to_string(i), endpoint);
    said.push_back(payload(people[0], i));
    kit_.send(people[0], said.back());
    kit_.leave(guest);
  }
  Texts heard;
  for (const std::string& text : heard_at(kit_.take(), endpoint)) {
    if (std::find(said.begin(), said.end(), text) != said.end()) heard.push_back(text);
  }
  EXPECT_EQ(heard, said);
}

// Many who go do not keep a room from those who stay.
TEST_F(DispatcherLeavers, WhoHasGoneTakesHalfATurnAtMost) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto people = make_room(kit, "lobby", 200);
  for (int i = 0; i < 64; ++i) kit.send(people[0], payload(people[0], i));
  for (std::size_t i = 100; i < 200; ++i) kit.leave(people[i]);
  EXPECT_FALSE(heard_at(kit.take_turn(), people[1].from).empty());
}

// Nor do they keep it waiting: beyond a number the first of them are told that they are out.
TEST_F(DispatcherLeavers, WhoHasGoneWaitsInABoundedLine) {
  const auto people = make_room(kit_, "lobby", 2'000);
  kit_.say(people[0], "hello");
  for (std::size_t i = 1; i < people.size(); ++i) kit_.leave(people[i]);
  const std::uint64_t dropped = kit_.count(Counter::kDroppedQueueFull);
  EXPECT_EQ(dropped, people.size() - 1 - 1'024);
  std::size_t heard = 0;
  for (const Sent& sent : kit_.take()) {
    if (sent.payload == message_payload("p0", "hello")) ++heard;
  }
  EXPECT_EQ(heard + dropped, kit_.count(Counter::kDeliveriesPlanned));
}

// A room that has ended goes on to take the turns of who opened it, and no others.
TEST_F(DispatcherLeavers, RoomsThatEndHaveTheTurnsOfTheirAddress) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  std::uint16_t port = 1;
  for (int i = 0; i < 20; ++i) {
    const std::string room = "ending" + std::to_string(i);
    const Person host = kit.create(room, "p0", at("127.0.0.9", port++));
    for (int member = 1; member < 500; ++member) {
      kit.join(room, "p" + std::to_string(member), at("127.0.0.9", port++));
    }
    kit.take();
    for (int word = 0; word < 64; ++word) kit.send(host, payload(host, word));
    kit.leave(host);
  }
  std::vector<std::vector<Person>> others;
  for (std::uint8_t i = 0; i < 10; ++i) {
    const std::string ip = "10.0.0." + std::to_string(i + 1);
    const std::string room = "other" + std::to_string(i);
    others.push_back({kit.create(room, "alice", at(ip, 1)), kit.join(room, "bob", at(ip, 2))});
    kit.say(others.back()[0], "hello");
  }
  std::size_t heard = 0;
  for (int turn = 0; turn < 3; ++turn) {
    const auto sent = kit.take_turn();
    for (const auto& pair : others) heard += heard_at(sent, pair[1].from).size();
  }
  EXPECT_EQ(heard, others.size());
}

}  // namespace
}  // namespace chatd
