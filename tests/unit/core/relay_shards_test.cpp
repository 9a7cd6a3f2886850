// A server of several shards gives every client the answers that one of a single shard gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit_group.h"

namespace chatd {
namespace {

using namespace test;

// The answer's frames, with the token, which is random, taken out.
struct Outcome {
  std::vector<std::string> frames;
  std::string token;
};

Outcome outcome_of(std::string bytes) {
  Outcome outcome;
  while (const auto frame = take_frame(bytes)) {
    std::string payload = frame->payload;
    const std::string token = JsonObject(payload).text("token");
    if (!token.empty()) {
      outcome.token = token;
      payload.replace(payload.find(token), token.size(), "TOKEN");
    }
    outcome.frames.push_back(std::to_string(frame->operation) + "/" + std::to_string(frame->state) +
                             " " + payload);
  }
  EXPECT_EQ(bytes, "");
  return outcome;
}

std::string request_of(std::string_view name, std::string_view password = "") {
  return join_payload(
      {.username = std::string(name), .ip = "", .port = 5000, .password = std::string(password)});
}

// One server's clients, so that a leave can be sent with the token that this server gave.
class Server {
 public:
  Server(std::uint32_t shards, const Limits& limits) : group(shards, limits) {}

  std::vector<std::string> ask(std::uint8_t operation, const std::string& room,
                               const std::string& name, const std::string& password,
                               const IpAddress& peer) {
    const std::string payload = operation == kListRooms ? "" : request_of(name, password);
    const Outcome outcome = outcome_of(group.ask(operation, room, payload, peer));
    if (!outcome.token.empty()) members.push_back({room, name, outcome.token, {peer, 5000}});
    return outcome.frames;
  }
  void leave(std::size_t member) {
    const Person person = members[member];
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(member));
    group.send(person.from, person.room, person.token, leave_payload(person.name));
    group.carry_messages();
  }

  RelayGroup group;
  std::vector<Person> members;
};

class Shards : public testing::TestWithParam<unsigned> {};

// Thousands of random requests, one after another, with limits that are reached all the time.
TEST_P(Shards, AnswerLikeOne) {
  Limits limits;
  limits.max_rooms = 12;
  limits.max_members = 40;
  limits.max_room_members = 8;
  limits.abuse.max_address_rooms = 3;
  limits.abuse.max_address_requests_per_s = 5;
  Server one(1, limits);
  Server several(3, limits);
  std::mt19937 random(GetParam());
  const auto below = [&random](unsigned bound) { return random() % bound; };
  for (int step = 0; step < 3'000; ++step) {
    const IpAddress peer = ip(below(2) == 0 ? "192.0.2." + std::to_string(below(6))
                                            : "2001:db8:0:" + std::to_string(below(4)) +
                                                  "::" + std::to_string(1 + below(3)));
    const std::string room = (below(4) == 0 ? "Room" : "room") + std::to_string(below(20));
    const std::string name = (below(4) == 0 ? "na\u00adme" : "name") + std::to_string(below(10));
    const std::string password = below(4) == 0 ? "secret" : "";
    const auto action = below(10);
    if (action == 0 && !one.members.empty()) {
      const std::size_t member = below(static_cast<unsigned>(one.members.size()));
      one.leave(member);
      several.leave(member);
    } else if (action == 1) {
      ASSERT_EQ(several.group.greeting(peer), one.group.greeting(peer)) << step;
    } else {
      const std::uint8_t operation = action < 4 ? kCreateRoom : action < 9 ? kJoinRoom : kListRooms;
      ASSERT_EQ(several.ask(operation, room, name, password, peer),
                one.ask(operation, room, name, password, peer))
          << step;
    }
    one.group.now_ms += 10;
    several.group.now_ms += 10;
  }
  for (const Counter counter :
       {Counter::kRoomsCreated, Counter::kRoomsClosed, Counter::kMembersJoined,
        Counter::kMembersLeft, Counter::kRequestsCompleted, Counter::kRequestsRefused}) {
    EXPECT_EQ(several.group.count(counter), one.group.count(counter)) << counter_name(counter);
  }
  EXPECT_GT(one.group.count(Counter::kRoomsClosed), 50u);
  EXPECT_EQ(one.group.messages_carried(), 0u);
  EXPECT_GT(several.group.messages_carried(), 1'000u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Shards, testing::Range(1u, 6u));

class TwoShards : public testing::Test {
 protected:
  // A name or an address that lands on this shard.
  std::string room_on(std::uint32_t shard, int number = 0) const {
    for (int i = 0;; ++i) {
      const std::string name = "r" + std::to_string(i);
      if (group_.shard_of_room(name) == shard && number-- == 0) return name;
    }
  }
  IpAddress peer_on(std::uint32_t shard, int number = 0) const {
    for (int i = 1;; ++i) {
      const IpAddress peer = ip("192.0.2." + std::to_string(i));
      if (group_.shard_of_address(peer) == shard && number-- == 0) return peer;
    }
  }

  static Limits limits() {
    Limits limits;
    limits.abuse.max_address_rooms = 1;
    return limits;
  }
  std::string payload_for(std::uint32_t connection) {
    std::string bytes = group_.take_answer(connection);
    const auto frame = take_frame(bytes);
    EXPECT_TRUE(frame);
    return frame ? frame->payload : "";
  }

  RelayGroup group_{2, limits()};
};

// The client knows at once that its frame has been read.
TEST_F(TwoShards, AcceptedComesBeforeTheOwnerIsAsked) {
  const std::uint32_t connection =
      group_.begin(kCreateRoom, room_on(1), request_of("alice"), peer_on(0));
  const Outcome so_far = outcome_of(group_.take_answer(connection));
  ASSERT_EQ(so_far.frames.size(), 1u);
  EXPECT_TRUE(so_far.frames[0].starts_with("1/1 ")) << so_far.frames[0];
  group_.carry_messages();
  const Outcome rest = outcome_of(group_.take_answer(connection));
  ASSERT_EQ(rest.frames.size(), 1u);
  EXPECT_TRUE(rest.frames[0].starts_with("1/2 ")) << rest.frames[0];
  EXPECT_EQ(rest.token.substr(0, 2), "01") << "the token names the owner";
}

// Two requests under way at once cannot both have the address's last room.
TEST_F(TwoShards, ARoomIsCountedBeforeItsOwnerIsAsked) {
  const IpAddress peer = peer_on(0);
  const std::uint32_t first = group_.begin(kCreateRoom, room_on(1, 0), request_of("alice"), peer);
  const std::uint32_t second = group_.begin(kCreateRoom, room_on(1, 1), request_of("alice"), peer);
  group_.carry_messages();
  EXPECT_NE(group_.take_answer(first).find("201"), std::string::npos);
  EXPECT_NE(group_.take_answer(second).find("429"), std::string::npos);
}

TEST_F(TwoShards, ARefusedRoomIsGivenBack) {
  const IpAddress peer = peer_on(0);
  const std::string taken = room_on(1, 0);
  group_.ask(kCreateRoom, taken, request_of("host"), peer_on(1));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(group_.ask(kCreateRoom, taken, request_of("alice"), peer).find("409"),
              std::string::npos);
  }
  EXPECT_NE(group_.ask(kCreateRoom, room_on(1, 1), request_of("alice"), peer).find("201"),
            std::string::npos);
}

TEST_F(TwoShards, ARoomThatEndsIsGivenBackAcrossShards) {
  const IpAddress peer = peer_on(0);
  const std::string room = room_on(1);
  const Outcome created = outcome_of(group_.ask(kCreateRoom, room, request_of("alice"), peer));
  EXPECT_NE(group_.ask(kCreateRoom, "other", request_of("alice"), peer).find("429"),
            std::string::npos);
  group_.send({peer, 5000}, room, created.token, leave_payload("alice"));
  group_.carry_messages();
  EXPECT_NE(group_.ask(kCreateRoom, "other", request_of("alice"), peer).find("201"),
            std::string::npos);
}

// The answer to an older question, under way when the room was made, is not good enough.
TEST_F(TwoShards, AListSeesWhatWasAnsweredBeforeItWasAskedFor) {
  const IpAddress here = peer_on(0);
  group_.ask(kCreateRoom, room_on(1, 0), request_of("alice"), peer_on(1));
  const std::uint32_t early = group_.begin(kListRooms, "", "", here);
  group_.carry_one_letter();  // the question; the answer is on its way
  const std::uint32_t created =
      group_.begin(kCreateRoom, room_on(1, 1), request_of("bob"), peer_on(1, 1));
  EXPECT_NE(group_.take_answer(created).find("201"), std::string::npos);
  const std::uint32_t late = group_.begin(kListRooms, "", "", here);
  group_.carry_messages();
  EXPECT_EQ(JsonObject(payload_for(early)).number("total"), 1);
  EXPECT_EQ(JsonObject(payload_for(late)).number("total"), 2);
}

// A shard that is busy must not hold up who comes to another one.
TEST_F(TwoShards, AGreetingAsksNobody) {
  group_.ask(kCreateRoom, room_on(1), request_of("alice"), peer_on(1));
  const std::size_t before = group_.messages_carried();
  std::string bytes = group_.greeting(peer_on(0));
  EXPECT_EQ(JsonObject(take_frame(bytes).value().payload).object("rooms").keys(),
            std::vector{room_on(1)});
  EXPECT_EQ(group_.messages_carried(), before);
}

// A part that has not changed is not asked for again, as long as somebody reads a list with it.
TEST_F(TwoShards, AListAsksForWhatHasChangedAlone) {
  group_.ask(kCreateRoom, room_on(1), request_of("alice"), peer_on(1));
  group_.ask(kListRooms, "", "", peer_on(0));
  const std::size_t before = group_.messages_carried();
  for (int i = 0; i < 10; ++i) group_.ask(kListRooms, "", "", peer_on(0));
  EXPECT_EQ(group_.messages_carried(), before);
}

}  // namespace
}  // namespace chatd
