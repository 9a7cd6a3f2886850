// The dispatcher: what was said in between goes out together, transposed; rooms take turns; who
// comes and goes meanwhile; what gives way when too much waits.
#include "core/room/dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/wire/v1/notice.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;
using Texts = std::vector<std::string>;

class DispatcherTest : public testing::Test {
 protected:
  std::vector<Person> make_room(RelayKit& kit, const std::string& room, std::size_t size) {
    std::vector<Person> people = {kit.create(room, "p0")};
    while (people.size() < size) {
      people.push_back(kit.join(room, "p" + std::to_string(people.size())));
    }
    kit.take();
    return people;
  }

  static std::string payload(const Person& who, int number) {
    return message_payload(who.name, std::to_string(1'000'000 + number));  // all of one size
  }

  // No limit on a member's rate: these tests say much in no time.
  static RelayConfig config() {
    RelayConfig config;
    config.limits.abuse = AbuseLimits::none();
    return config;
  }

  RelayKit kit_{config()};
};

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

TEST_F(DispatcherTest, WhoSaidNothingSharesOneTrainAndSpeakersGetTheOthersWords) {
  const auto people = make_room(kit_, "lobby", 6);
  for (int i = 0; i < 4; ++i)
    kit_.send(people[i % 2 == 0 ? 1 : 4], payload(people[i % 2 == 0 ? 1 : 4], i));
  kit_.relay.serve_rooms(kit_.out);

  ASSERT_EQ(kit_.out.groups().size(), 3u);
  const Outbox::SendGroup& shared = kit_.out.groups()[0];
  EXPECT_EQ(shared.destination_count, 4u);
  ASSERT_EQ(shared.train_count, 1u);
  const Outbox::Train& train = kit_.out.trains(shared)[0];
  EXPECT_EQ(train.message_count, 4u);
  EXPECT_EQ(train.piece_count, 1u) << "a whole train is one piece";
  for (std::size_t i = 1; i < 3; ++i) {
    const Outbox::SendGroup& own = kit_.out.groups()[i];
    EXPECT_EQ(own.destination_count, 1u);
    ASSERT_EQ(own.train_count, 1u);
    EXPECT_EQ(kit_.out.trains(own)[0].message_count, 2u);
  }
  const auto sent = kit_.take();
  const Texts all = {payload(people[1], 0), payload(people[4], 1), payload(people[1], 2),
                     payload(people[4], 3)};
  EXPECT_EQ(heard_at(sent, people[0].from), all);
  EXPECT_EQ(heard_at(sent, people[5].from), all);
  EXPECT_EQ(heard_at(sent, people[1].from), (Texts{all[1], all[3]}));
  EXPECT_EQ(heard_at(sent, people[4].from), (Texts{all[0], all[2]}));
}

TEST_F(DispatcherTest, WhenAllSpeakEachGetsTheOthersWords) {
  const auto people = make_room(kit_, "lobby", 10);
  const auto sender = [&people](int i) { return people[static_cast<std::size_t>(i) % 10]; };
  for (int i = 0; i < 64; ++i) kit_.send(sender(i), payload(sender(i), i));
  const auto sent = kit_.take();
  for (const Person& listener : people) {
    Texts expected;
    for (int i = 0; i < 64; ++i) {
      if (sender(i).name != listener.name) expected.push_back(payload(sender(i), i));
    }
    EXPECT_EQ(heard_at(sent, listener.from), expected);
  }
}

TEST_F(DispatcherTest, TrainsAreAsShortAsConfigured) {
  RelayConfig config;
  config.trains.max_segments = 1;
  RelayKit kit(config);
  const auto people = make_room(kit, "lobby", 3);
  for (int i = 0; i < 5; ++i) kit.send(people[0], payload(people[0], i));
  kit.relay.serve_rooms(kit.out);
  for (const Outbox::SendGroup& group : kit.out.groups()) {
    for (const Outbox::Train& train : kit.out.trains(group)) EXPECT_EQ(train.message_count, 1u);
  }
  EXPECT_EQ(kit.take().size(), 10u);
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

TEST_F(DispatcherTest, LastWordsAreHeard) {
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

// Nothing is sent ahead of its turn for somebody who comes or goes; each has a cursor of its own.
TEST_F(DispatcherTest, WhoComesAndGoesInTheMiddleOfALargeRoomCostsNoTurn) {
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
TEST_F(DispatcherTest, ASuccessorInAMembersSlotIsNotItsPredecessor) {
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
TEST_F(DispatcherTest, ARoomThatEndsIsHeardToItsEndInTurns) {
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

// What was said to one that has gone gives way, and its farewell still waits: it is nobody's reader
// any more when the next message comes.
TEST_F(DispatcherTest, WhoHasGoneIsNotCountedForWhatIsSaidAfterwards) {
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
TEST_F(DispatcherTest, WhoHasGoneFirstIsServedFirst) {
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
TEST_F(DispatcherTest, WhoHasGoneTakesHalfATurnAtMost) {
  RelayKit kit(config(), /*outbox_limit=*/kMaxTurnWork);
  const auto people = make_room(kit, "lobby", 200);
  for (int i = 0; i < 64; ++i) kit.send(people[0], payload(people[0], i));
  for (std::size_t i = 100; i < 200; ++i) kit.leave(people[i]);
  EXPECT_FALSE(heard_at(kit.take_turn(), people[1].from).empty());
}

// Nor do they keep it waiting: beyond a number the first of them are told that they are out.
TEST_F(DispatcherTest, WhoHasGoneWaitsInABoundedLine) {
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
TEST_F(DispatcherTest, RoomsThatEndHaveTheTurnsOfTheirAddress) {
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

// Chat as it is: everybody speaks, in all sizes, people come and go, turns are short. Each hears
// what was said while it was there, in each sender's order, and never itself.
TEST_F(DispatcherTest, RandomChatIsHeardByAllInEachSpeakersOrder) {
  std::mt19937 random(7);
  RelayKit kit(config(), /*outbox_limit=*/300);
  std::map<std::string, Person> present;
  std::map<std::uint16_t, std::map<std::string, Texts>> expected;  // by listener's port and sender
  std::map<std::uint16_t, std::map<std::string, Texts>> heard;
  const auto note = [&] {
    for (const Sent& sent : kit.take()) {
      if (sent.kind != Outbox::Kind::kMessage) continue;
      const auto end = sent.payload.find('"', 12);
      heard[sent.to.port][sent.payload.substr(12, end - 12)].push_back(sent.payload);
    }
  };
  present.emplace("p0", kit.create("lobby", "p0"));
  for (int step = 1; step < 5'000; ++step) {
    const auto choice = random() % 20;
    auto who = present.begin();
    std::advance(who, static_cast<long>(random() % present.size()));
    if (choice == 0 && present.size() < 12) {
      const std::string name = "p" + std::to_string(step);
      present.emplace(name, kit.join("lobby", name));
    } else if (choice == 1 && who->first != "p0") {
      kit.leave(who->second);
      present.erase(who);
    } else if (choice == 2) {
      note();
    } else {
      const std::string payload =
          message_payload(who->first, std::to_string(step) + std::string(random() % 4 * 50, '.'));
      kit.send(who->second, payload);
      for (const auto& [name, person] : present) {
        if (name != who->first) expected[person.from.port][who->first].push_back(payload);
      }
    }
  }
  note();
  ASSERT_TRUE(message_payload("p0", "").starts_with(R"({"sender": "p0")")) << "see substr above";
  EXPECT_EQ(heard, expected);
  EXPECT_EQ(kit.count(Counter::kDroppedQueueFull), 0u);
}

}  // namespace
}  // namespace chatd
