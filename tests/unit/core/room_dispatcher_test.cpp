// The dispatcher: rooms take turns; who comes meanwhile; what gives way when too much waits.
#include "core/room/dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "tests/unit/core/room_dispatcher_kit.h"

namespace chatd {
namespace {

using namespace test;

class DispatcherTest : public DispatcherKit {};

TEST_F(DispatcherTest, MessagesWaitForTheCall) {
  const auto people = make_room(kit_, "lobby", 3);
  kit_.say(people[0]);
  EXPECT_TRUE(kit_.out.is_empty());
  EXPECT_TRUE(kit_.relay.has_waiting());
  kit_.relay.serve_rooms(kit_.out);
  EXPECT_FALSE(kit_.out.is_empty());
  EXPECT_FALSE(kit_.relay.has_waiting());
  EXPECT_EQ(kit_.take().size(), 2u);
}

// A room with far more to send than a turn allows has its turns in between the others'.
TEST_F(DispatcherTest, AFloodTakesTurnsWithQuietRooms) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto crowd = make_room(kit, "crowd", 2'000);
  const auto pair = make_room(kit, "pair", 2);
  for (int i = 0; i < 640; ++i) kit.send(crowd[0], payload(crowd[0], i));
  kit.say(pair[0], "hello");

  std::size_t turns = 0;
  bool pair_has_heard = false;
  while (!pair_has_heard) {
    ASSERT_LE(++turns, 2u);
    kit.relay.serve_rooms(kit.out);
    ASSERT_TRUE(kit.relay.has_waiting());
    for (const Outbox::SendGroup& group : kit.out.groups()) {
      const auto to = kit.out.destinations(group);
      pair_has_heard |= std::find(to.begin(), to.end(), pair[1].from) != to.end();
    }
    kit.out.clear();
  }
}

// Turns that end in the middle of a room lose nothing, repeat nothing and keep the order.
TEST_F(DispatcherTest, ALargeRoomIsServedInSlices) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto people = make_room(kit, "crowd", 3'000);
  std::map<std::uint16_t, Texts> heard;
  Texts said;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {
      kit.send(people[0], payload(people[0], round * 100 + i));
      said.push_back(payload(people[0], round * 100 + i));
    }
    // A turn only, then more is said: it must wait for the slices that are left.
    kit.relay.serve_rooms(kit.out);
    ASSERT_TRUE(kit.relay.has_waiting());
  }
  for (const Sent& sent : kit.take()) heard[sent.to.port].push_back(sent.payload);
  EXPECT_EQ(heard.size(), people.size() - 1);
  for (std::size_t i = 1; i < people.size(); ++i) ASSERT_EQ(heard[people[i].from.port], said) << i;
}

// The first slice of a large room goes out at once; what is said meanwhile goes to the others
// together with what they have not got yet.
TEST_F(DispatcherTest, WhoIsServedLaterGetsMoreAtOnce) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto people = make_room(kit, "crowd", 2'001);
  kit.send(people[0], payload(people[0], 0));
  kit.relay.serve_rooms(kit.out);
  std::size_t first_slice = 0;
  for (const Outbox::SendGroup& group : kit.out.groups()) first_slice += group.destination_count;
  ASSERT_LT(first_slice, 1'000u);
  kit.out.clear();
  for (int i = 1; i < 16; ++i) kit.send(people[0], payload(people[0], i));
  std::size_t trains_of_16 = 0;
  std::size_t trains_of_15 = 0;
  for (; kit.relay.has_waiting(); kit.out.clear()) {
    kit.relay.serve_rooms(kit.out);
    for (const Outbox::SendGroup& group : kit.out.groups()) {
      const auto trains = kit.out.trains(group);
      ASSERT_EQ(trains.size(), 1u);
      if (trains[0].message_count == 16) trains_of_16 += group.destination_count;
      if (trains[0].message_count == 15) trains_of_15 += group.destination_count;
    }
  }
  EXPECT_EQ(trains_of_15, first_slice);
  EXPECT_EQ(trains_of_16, 2'000 - first_slice);
}

TEST_F(DispatcherTest, WhoComesLaterHearsNothingOfWhatWasSaidBefore) {
  const auto people = make_room(kit_, "lobby", 2);
  kit_.say(people[0], "before");
  const Person late = kit_.join("lobby", "late");
  kit_.say(people[0], "after");
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, late.from), Texts{message_payload("p0", "after")});
  EXPECT_EQ(heard_at(sent, people[1].from).size(), 3u);
  EXPECT_EQ(heard_at(sent, people[1].from)[0], message_payload("p0", "before"))
      << "and before the notice";
}

TEST_F(DispatcherTest, AMemberBoundLaterHearsNothingOfWhatWasSaidBefore) {
  const auto people = make_room(kit_, "lobby", 2);
  const Person pending = kit_.join_pending("lobby", "pending", at("127.0.0.1", 777));
  kit_.take();
  kit_.say(people[0], "before");
  kit_.beat(pending);
  kit_.say(people[0], "after");
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, pending.from), Texts{message_payload("p0", "after")});
  EXPECT_EQ(kit_.count(Counter::kDroppedPendingMember), 1u);
}

// Rooms of one address share its turns: a quiet room of somebody else does not wait for each.
TEST_F(DispatcherTest, AHundredFloodedRoomsOfOneAddressHaveTheTurnsOfOne) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  std::vector<std::vector<Person>> crowds;
  std::uint16_t port = 1;
  for (int i = 0; i < 100; ++i) {
    const std::string room = "crowd" + std::to_string(i);
    auto& crowd = crowds.emplace_back();
    crowd.push_back(kit.create(room, "p0", at("127.0.0.9", port++)));
    while (crowd.size() < 100) {
      crowd.push_back(kit.join(room, "p" + std::to_string(crowd.size()), at("127.0.0.9", port++)));
    }
  }
  const auto pair = make_room(kit, "pair", 2);
  for (const auto& crowd : crowds) {
    for (int i = 0; i < 64; ++i) kit.send(crowd[0], payload(crowd[0], i));
  }
  kit.say(pair[0], "hello");
  std::size_t turns = 0;
  for (bool has_heard = false; !has_heard; kit.out.clear()) {
    ASSERT_LE(++turns, 2u);
    kit.relay.serve_rooms(kit.out);
    for (const Outbox::SendGroup& group : kit.out.groups()) {
      const auto to = kit.out.destinations(group);
      has_heard |= std::find(to.begin(), to.end(), pair[1].from) != to.end();
    }
  }
}

// They do not keep the turn by each saying little, so that a turn empties a room's log, and more
// meanwhile.
TEST_F(DispatcherTest, RoomsOfOneAddressThatAreNeverEmptyAllAtOnceDoNotKeepTheTurn) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  std::vector<std::vector<Person>> rooms;
  for (int i = 0; i < 100; ++i) rooms.push_back(make_room(kit, "r" + std::to_string(i), 20));
  const auto quiet = kit.create("quiet", "alice", at("127.0.0.9", 1));
  const auto listener = kit.join("quiet", "bob", at("127.0.0.9", 2));
  int said = 0;
  const auto say_in_all = [&] {
    for (const auto& room : rooms) kit.send(room[0], payload(room[0], said));
    ++said;
  };
  kit.take();
  say_in_all();
  kit.say(quiet, "hello");
  std::size_t turns = 0;
  while (heard_at(kit.take_turn(), listener.from).empty()) {
    ASSERT_LE(++turns, 2u);
    say_in_all();
  }
}

// An address's turn is as long for many small rooms as for a large one: a hundred people behind one
// address who say little do not get behind for a flood elsewhere.
TEST_F(DispatcherTest, SmallRoomsOfOneAddressShareATurn) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto flood = make_room(kit, "flood", 1'000);
  std::vector<std::pair<Person, Person>> pairs;
  for (std::uint16_t i = 0; i < 100; ++i) {
    const std::string room = "pair" + std::to_string(i);
    const auto port = static_cast<std::uint16_t>(2 * i + 1);
    const Person first = kit.create(room, "alice", at("127.0.0.9", port));
    const Person second =
        kit.join(room, "bob", at("127.0.0.9", static_cast<std::uint16_t>(port + 1)));
    pairs.emplace_back(first, second);
  }
  kit.take();
  for (int i = 0; i < 100; ++i) kit.send(flood[0], payload(flood[0], i));
  for (const auto& [first, second] : pairs) kit.say(first, "hello");
  std::size_t heard = 0;
  for (int turn = 0; turn < 3; ++turn) {
    const auto sent = kit.take_turn();
    for (const auto& [first, second] : pairs) heard += heard_at(sent, second.from).size();
  }
  EXPECT_EQ(heard, pairs.size());
  EXPECT_TRUE(kit.relay.has_waiting()) << "the flood was no flood";
}

// Many members who each stand somewhere else do not make a turn long.
TEST_F(DispatcherTest, ATurnIsBoundedHoweverScatteredItsRoomIs) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  auto people = make_room(kit, "crowd", 1'000);
  for (int i = 0; i < 200; ++i) {
    kit.send(people[0], payload(people[0], i));
    kit.join("crowd", "late" + std::to_string(i));
  }
  ASSERT_EQ(kit.count(Counter::kDroppedQueueFull), 0u);
  for (; kit.relay.has_waiting(); kit.out.clear()) {
    kit.relay.serve_rooms(kit.out);
    ASSERT_LT(kit.out.groups().size(), 2 * kMaxTurnWork / 8);
  }
}

TEST_F(DispatcherTest, TheOldestGivesWayWhenARoomSaysTooMuch) {
  const auto people = make_room(kit_, "lobby", 3);
  const int said = static_cast<int>(kMaxWaitingMessages) + 10;
  for (int i = 0; i < said; ++i) kit_.send(people[0], payload(people[0], i));
  EXPECT_EQ(kit_.count(Counter::kDroppedQueueFull), 20u);
  const auto heard = heard_at(kit_.take(), people[1].from);
  ASSERT_EQ(heard.size(), kMaxWaitingMessages);
  EXPECT_EQ(heard.front(), payload(people[0], 10));
  EXPECT_EQ(heard.back(), payload(people[0], said - 1));
  EXPECT_EQ(kit_.count(Counter::kDeliveriesPlanned), static_cast<std::uint64_t>(said) * 2);
}

// Many rooms can together fill the store: each then gives way to its own words only.
TEST_F(DispatcherTest, AFullStoreIsNoDisaster) {
  constexpr int kRooms = 64;
  std::vector<std::vector<Person>> rooms;
  for (int i = 0; i < kRooms; ++i) rooms.push_back(make_room(kit_, "r" + std::to_string(i), 2));
  const std::string padding(3'500, 'x');
  std::uint64_t said = 0;
  for (int i = 0; i < 100; ++i) {
    for (const auto& room : rooms) {
      kit_.say(room[0], padding);
      ++said;
    }
  }
  const std::uint64_t sent = kit_.take().size();
  EXPECT_GT(kit_.count(Counter::kDroppedQueueFull), 0u);
  EXPECT_EQ(sent + kit_.count(Counter::kDroppedQueueFull), said);
  kit_.say(rooms[0][0], "and now?");
  EXPECT_EQ(kit_.take().size(), 1u);
}

// A room whose only message gives way to a larger one, for which there is no room either, is in
// line with nothing to send.
TEST_F(DispatcherTest, ARoomWhoseEntriesHaveAllGivenWayIsInNoLine) {
  RelayConfig config = this->config();
  config.message_store_blocks = 8;
  RelayKit kit(config);
  const auto greedy = make_room(kit, "greedy", 2);
  const auto pair = make_room(kit, "pair", 2);
  kit.say(pair[0], "tiny");
  kit.say(greedy[0], std::string(1'000, 'x'));
  kit.say(pair[0], std::string(1'500, 'x'));  // more than is left, with or without what waits
  EXPECT_EQ(kit.count(Counter::kDroppedQueueFull), 2u);
  EXPECT_EQ(kit.take().size(), 1u);
  EXPECT_FALSE(kit.relay.has_waiting());
}

// However much some rooms say, there is room for a quiet one's words.
TEST_F(DispatcherTest, AFewGreedyRoomsLeaveSomethingForTheOthers) {
  std::vector<std::vector<Person>> greedy;
  for (int i = 0; i < 10; ++i) greedy.push_back(make_room(kit_, "r" + std::to_string(i), 2));
  const auto pair = make_room(kit_, "pair", 2);
  for (int i = 0; i < 2'000; ++i) {
    for (const auto& room : greedy) kit_.say(room[0], std::string(4'000, 'x'));
  }
  ASSERT_GT(kit_.count(Counter::kDroppedQueueFull), 0u);
  kit_.say(pair[0], "hello");
  EXPECT_EQ(heard_at(kit_.take(), pair[1].from), Texts{message_payload("p0", "hello")});
}

// What waits longer than a moment is of no use to anybody.
TEST_F(DispatcherTest, WhatWaitsInALargeRoomIsBoundedByItsDeliveries) {
  const auto people = make_room(kit_, "crowd", 3'000);
  for (int i = 0; i < 1'000; ++i) kit_.send(people[0], payload(people[0], i));
  const std::uint64_t waiting =
      kit_.count(Counter::kDeliveriesPlanned) - kit_.count(Counter::kDroppedQueueFull);
  EXPECT_GT(waiting, 64u * 2'999);
  EXPECT_LE(waiting, std::max<std::uint64_t>(kMaxWaitingDeliveries, 2 * 64 * 2'999) + 2'999);
}

}  // namespace
}  // namespace chatd
