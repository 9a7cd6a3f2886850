// Create, join and list: every status, and where each form of ip and port leaves a member.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

std::string request(std::string_view name, std::string_view password = "") {
  return join_payload(
      {.username = std::string(name), .ip = "", .port = 0, .password = std::string(password)});
}

std::string request_from(const std::string& ip_text, std::uint16_t port,
                         const std::string& name = "bob") {
  return join_payload({.username = name, .ip = ip_text, .port = port, .password = ""});
}

class Requests : public testing::Test {
 protected:
  // Where the member with this token is bound; port 0 while it is pending.
  Endpoint bound(const std::string& token_hex) {
    const Roster& roster = kit_.relay.roster();
    return roster.endpoint_of(roster.members()[Token::parse(token_hex).value().slot()]);
  }

  RelayKit kit_;
};

TEST_F(Requests, CreateIsAcceptedAndThenCompleted) {
  const Answer answer = kit_.ask(kCreateRoom, "lobby", request("alice"));
  EXPECT_EQ(answer.frame_count, 2u);
  EXPECT_EQ(answer.accepted, 202);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.token.size(), 32u);
  EXPECT_EQ(answer.token.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(kit_.count(Counter::kRoomsCreated), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersJoined), 1u);
  EXPECT_EQ(kit_.count(Counter::kRequestsCompleted), 1u);
  EXPECT_TRUE(kit_.take().empty());  // nobody else to hear of it
}

TEST_F(Requests, JoinIsAcceptedAndThenCompleted) {
  kit_.create("lobby", "alice");
  const Answer answer = kit_.ask(kJoinRoom, "lobby", request("bob"));
  EXPECT_EQ(answer.frame_count, 2u);
  EXPECT_EQ(answer.accepted, 202);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.token.size(), 32u);
}

TEST_F(Requests, TokensAreAllDifferent) {
  std::set<std::string> tokens;
  tokens.insert(kit_.create("lobby", "host").token);
  for (int i = 0; i < 200; ++i) {
    const Person person = kit_.join("lobby", "m" + std::to_string(i));
    EXPECT_TRUE(tokens.insert(person.token).second);
    if (i % 2 == 0) kit_.leave(person);  // its slot is used again, its token is not
  }
}

TEST_F(Requests, TokensCarryTheShard) {
  RelayConfig config;
  config.shard = 7;
  RelayKit kit(config);
  EXPECT_EQ(kit.create("lobby", "alice").token.substr(0, 8), "07000000");
  EXPECT_EQ(kit.join("lobby", "bob").token.substr(0, 8), "07000001");
}

TEST_F(Requests, AStateOtherThanRequestIsBad) {
  for (const std::uint8_t state : std::vector<std::uint8_t>{1, 2, 3, 255}) {
    for (const std::uint8_t operation : {kCreateRoom, kJoinRoom, kListRooms}) {
      const Answer answer = kit_.ask(operation, "lobby", request("alice"), ip("127.0.0.1"), state);
      EXPECT_EQ(answer.frame_count, 1u);
      EXPECT_EQ(answer.status, 400);
    }
  }
  EXPECT_EQ(kit_.count(Counter::kRequestsRefused), 12u);
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 0u);
}

TEST_F(Requests, AnUnknownOperationIsBad) {
  for (const std::uint8_t operation : std::vector<std::uint8_t>{0, 4, 77, 255}) {
    const Answer answer = kit_.ask(operation, "lobby", request("alice"));
    EXPECT_EQ(answer.frame_count, 1u);
    EXPECT_EQ(answer.status, 400);
  }
}

TEST_F(Requests, ABadRoomNameIsBad) {
  const std::string too_many_in_total(256, 'r');
  for (const std::string_view room :
       {std::string_view(""), std::string_view("a\x1b[2J"), std::string_view("\xff"),
        std::string_view(too_many_in_total)}) {
    for (const std::uint8_t operation : {kCreateRoom, kJoinRoom}) {
      const Answer answer = kit_.ask(operation, room, request("alice"));
      EXPECT_EQ(answer.accepted, 202);
      EXPECT_EQ(answer.status, 400);
      EXPECT_NE(answer.message.find("room name"), std::string::npos);
    }
  }
}

TEST_F(Requests, ABadPayloadIsBadWhateverTheRoom) {
  kit_.create("lobby", "alice");
  for (const std::string_view payload :
       {"", "{}", "[]", R"({"username":"bob"})", R"({"username":"system","ip":"","port":0})"}) {
    EXPECT_EQ(kit_.ask(kCreateRoom, "new", payload).status, 400) << payload;
    EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", payload).status, 400) << payload;
    EXPECT_EQ(kit_.ask(kJoinRoom, "nowhere", payload).status, 400) << payload;
  }
  EXPECT_FALSE(kit_.relay.roster().find_room("new").has_value());
}

TEST_F(Requests, AMissingRoomIsNotFound) {
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", request("bob")).status, 404);
}

TEST_F(Requests, ARoomThatExistsIsAConflict) {
  kit_.create("lobby", "alice");
  const Answer answer = kit_.ask(kCreateRoom, "lobby", request("bob"));
  EXPECT_EQ(answer.accepted, 202);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.token, "");
  EXPECT_EQ(kit_.relay.roster().members().size(), 1u);
}

TEST_F(Requests, ATakenNameIsAConflictInThatRoomAlone) {
  kit_.create("lobby", "alice");
  kit_.create("den", "bob");
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", request("alice")).status, 409);
  EXPECT_EQ(kit_.ask(kJoinRoom, "den", request("alice")).status, 201);
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", request("alicia")).status, 201);
}

// The second could speak in the first one's name, and people would not see it.
TEST_F(Requests, ANameThatLooksLikeATakenOneIsAConflict) {
  kit_.create("lobby", "alice");
  for (const std::string_view name : {"Alice", "alice ", "al\u200bice", "\uff41lice"}) {
    const Answer answer = kit_.ask(kJoinRoom, "lobby", request(name));
    EXPECT_EQ(answer.status, 409) << name;
    EXPECT_NE(answer.message.find(": \"alice\""), std::string::npos) << answer.message;
  }
  EXPECT_EQ(kit_.ask(kCreateRoom, "hall", request("Alice")).status, 201);
}

TEST_F(Requests, ANameIsKeptAsItWasGiven) {
  const Person host = kit_.create("Lobby", "\u00c9ric", at("127.0.0.1", 7001));
  const Person bob = kit_.join("Lobby", "Bob", at("127.0.0.1", 7002));
  EXPECT_EQ(heard_at(kit_.take(), host.from),
            (std::vector<std::string>{
                R"({"sender":"system","operation":1,"username":"Bob","message":"Bob joined"})"}));
  kit_.say(bob, "hi");
  EXPECT_EQ(heard_at(kit_.take(), host.from),
            std::vector<std::string>{message_payload("Bob", "hi")});
  // Who says so in another spelling is somebody else, and so is the room.
  kit_.send(bob, message_payload("bob", "hi"));
  EXPECT_EQ(kit_.count(Counter::kDroppedWrongSender), 1u);
  kit_.deliver(bob.from, encode_datagram("lobby", bob.token, message_payload("Bob", "hi")));
  EXPECT_EQ(kit_.count(Counter::kDroppedWrongRoom), 1u);
}

TEST_F(Requests, ARoomIsMadeOnceInWhateverSpelling) {
  kit_.create("Caf\u00e9", "alice");
  for (const std::string_view name : {"caf\u00e9", "CAFE\u0301", "Caf\u00e9\u2060", " Caf\u00e9"}) {
    const Answer answer = kit_.ask(kCreateRoom, name, request("bob"));
    EXPECT_EQ(answer.status, 409) << name;
    EXPECT_NE(answer.message.find(": \"Caf\u00e9\""), std::string::npos) << answer.message;
  }
  EXPECT_EQ(kit_.ask(kCreateRoom, "Cafe", request("bob")).status, 201);
}

// Its datagrams would name a room that there is not.
TEST_F(Requests, ARoomIsEnteredUnderItsOwnNameAlone) {
  kit_.create("kitchen", "alice", at("127.0.0.1", 7001), "secret");
  const Answer answer = kit_.ask(kJoinRoom, "Kitchen", request("bob", "secret"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.message, "no room has exactly this name, but one looks the same: \"kitchen\"");
  EXPECT_EQ(kit_.ask(kJoinRoom, "kitchen", request("bob", "secret")).status, 201);
}

TEST_F(Requests, AnOperatorMayWriteNamesAsTheyLook) {
  kit_.create("Kitchen", "alice");
  kit_.join("Kitchen", "bo\u200bb");
  EXPECT_TRUE(kit_.relay.kick(kit_.now_ms, "kitchen", "Bob", kit_.out));
  EXPECT_FALSE(kit_.relay.kick(kit_.now_ms, "kitchen", "Bob", kit_.out));
  EXPECT_TRUE(kit_.relay.close_room("KITCHEN"));
}

TEST_F(Requests, ANameAndARoomAreFreeAgainAfterwards) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  kit_.leave(bob);
  kit_.join("lobby", "bob");
  kit_.leave(alice);
  kit_.create("lobby", "bob");
}

TEST_F(Requests, ThePasswordIsAskedOfEachLaterMember) {
  kit_.create("vault", "alice", at("127.0.0.1", 1), "secret");
  EXPECT_EQ(kit_.ask(kJoinRoom, "vault", request("bob")).status, 401);
  EXPECT_EQ(kit_.ask(kJoinRoom, "vault", request("bob", "Secret")).status, 401);
  EXPECT_EQ(kit_.ask(kJoinRoom, "vault", request("bob", "secret")).status, 201);
  // Who does not know it does not learn who is inside, either.
  EXPECT_EQ(kit_.ask(kJoinRoom, "vault", request("alice", "wrong")).status, 401);
  EXPECT_EQ(kit_.ask(kJoinRoom, "vault", request("alice", "secret")).status, 409);
}

TEST_F(Requests, APasswordThatNobodyAskedForDoesNoHarm) {
  kit_.create("lobby", "alice");
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", request("bob", "whatever")).status, 201);
}

TEST_F(Requests, AListIsAnsweredAtOnceAndInFull) {
  for (int i = 0; i < 100; ++i) kit_.create("room" + std::to_string(i), "alice");
  for (const std::string_view payload : {"", "{}", "not JSON"}) {
    const Answer answer = kit_.ask(kListRooms, "", payload);
    EXPECT_EQ(answer.frame_count, 1u);
    const JsonObject json(answer.payload);
    EXPECT_EQ(json.object("rooms").keys().size(), 100u);
    EXPECT_EQ(json.number("total"), 100);
  }
}

TEST_F(Requests, AMemberIsBoundAtTheAddressThatTcpProves) {
  kit_.create("lobby", "alice");
  const IpAddress peer = ip("192.0.2.7");
  int number = 0;
  for (const char* stated : {"", "0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7"}) {
    const std::string name = "m" + std::to_string(++number);
    const Answer answer = kit_.ask(kJoinRoom, "lobby", request_from(stated, 40'000, name), peer);
    ASSERT_EQ(answer.status, 201) << stated;
    EXPECT_EQ(bound(answer.token), at("192.0.2.7", 40'000)) << stated;
  }
  EXPECT_EQ(kit_.count(Counter::kMembersJoined), 6u);
}

TEST_F(Requests, AMemberIsPendingWithoutAPortOrAtAForeignAddress) {
  kit_.create("lobby", "alice");
  const IpAddress peer = ip("192.0.2.7");
  const Answer no_port = kit_.ask(kJoinRoom, "lobby", request_from("192.0.2.7", 0, "a"), peer);
  const Answer foreign = kit_.ask(kJoinRoom, "lobby", request_from("198.51.100.1", 53, "b"), peer);
  const Answer loopback = kit_.ask(kJoinRoom, "lobby", request_from("127.0.0.1", 53, "c"), peer);
  for (const Answer& answer : {no_port, foreign, loopback}) {
    ASSERT_EQ(answer.status, 201);
    EXPECT_EQ(bound(answer.token), Endpoint{});
  }
}

TEST_F(Requests, Ipv6IsAsGood) {
  kit_.create("lobby", "alice");
  const Answer answer =
      kit_.ask(kJoinRoom, "lobby", request_from("2001:DB8::7", 5), ip("2001:db8::7"));
  EXPECT_EQ(bound(answer.token), at("2001:db8::7", 5));
}

TEST_F(Requests, TheServersOwnSocketIsBad) {
  RelayConfig config;
  config.local_endpoints = {
      .addresses = {ip("192.0.2.1")}, .has_address = {}, .on_all_loopback = true, .udp_port = 9000};
  RelayKit kit(config);
  kit.create("lobby", "alice");
  const auto status = [&kit](const char* stated, std::uint16_t port, const char* peer) {
    return kit.ask(kJoinRoom, "lobby", request_from(stated, port), ip(peer)).status;
  };
  EXPECT_EQ(status("127.0.0.1", 9000, "127.0.0.1"), 400);
  EXPECT_EQ(status("", 9000, "127.0.0.1"), 400);  // left open, and it calls from there
  EXPECT_EQ(status("::1", 9000, "::1"), 400);
  EXPECT_EQ(status("192.0.2.1", 9000, "192.0.2.1"), 400);
  EXPECT_EQ(status("192.0.2.1", 9000, "198.51.100.1"), 400);
  EXPECT_EQ(status("127.0.0.1", 9001, "127.0.0.1"), 201);
}

TEST_F(Requests, RoomsAreLimited) {
  RelayConfig config;
  config.limits.max_rooms = 2;
  RelayKit kit(config);
  const Person alice = kit.create("a", "alice");
  kit.create("b", "alice");
  EXPECT_EQ(kit.ask(kCreateRoom, "c", request("alice")).status, 503);
  EXPECT_EQ(kit.relay.roster().members().size(), 2u);
  kit.leave(alice);
  EXPECT_EQ(kit.ask(kCreateRoom, "c", request("alice")).status, 201);
}

TEST_F(Requests, MembersAreLimitedAndAnEmptyRoomIsNotLeftBehind) {
  RelayConfig config;
  config.limits.max_members = 2;
  RelayKit kit(config);
  kit.create("a", "alice");
  const Person bob = kit.join("a", "bob");
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("carol")).status, 503);
  EXPECT_EQ(kit.ask(kCreateRoom, "b", request("carol")).status, 503);
  EXPECT_FALSE(kit.relay.roster().find_room("b").has_value());
  EXPECT_EQ(kit.relay.roster().rooms().size(), 1u);
  kit.leave(bob);
  EXPECT_EQ(kit.ask(kCreateRoom, "b", request("carol")).status, 201);
}

TEST_F(Requests, MembersOfOneRoomAreLimited) {
  RelayConfig config;
  config.limits.max_room_members = 2;
  RelayKit kit(config);
  kit.create("a", "alice");
  const Person bob = kit.join("a", "bob");
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("carol")).status, 503);
  EXPECT_EQ(kit.ask(kCreateRoom, "b", request("carol")).status, 201);
  kit.leave(bob);
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("carol")).status, 201);
}

TEST_F(Requests, RoomsFromOneAddressAreLimitedWhileTheyLast) {
  RelayConfig config;
  config.limits.abuse.max_address_rooms = 2;
  RelayKit kit(config);
  const Person alice = kit.create("a", "alice", at("192.0.2.1", 1));
  kit.create("b", "alice", at("192.0.2.1", 2));
  EXPECT_EQ(kit.ask(kCreateRoom, "c", request("alice"), ip("192.0.2.1")).status, 429);
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("bob"), ip("192.0.2.1")).status, 201);
  EXPECT_EQ(kit.ask(kCreateRoom, "c", request("alice"), ip("192.0.2.2")).status, 201);
  kit.leave(alice);  // and her room ends
  EXPECT_EQ(kit.ask(kCreateRoom, "d", request("alice"), ip("192.0.2.1")).status, 201);
  EXPECT_EQ(kit.ask(kCreateRoom, "e", request("alice"), ip("192.0.2.1")).status, 429);
}

// A refused creation must not use up the address's rooms.
TEST_F(Requests, ACreationThatFailsIsNotCounted) {
  RelayConfig config;
  config.limits.abuse.max_address_rooms = 1;
  config.limits.max_members = 1;
  RelayKit kit(config);
  const Person alice = kit.create("a", "alice", at("192.0.2.1", 1));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(kit.ask(kCreateRoom, "b", request("bob"), ip("192.0.2.2")).status, 503);
    EXPECT_EQ(kit.ask(kCreateRoom, "a", request("bob"), ip("192.0.2.2")).status, 409);
  }
  kit.leave(alice);
  EXPECT_EQ(kit.ask(kCreateRoom, "b", request("bob"), ip("192.0.2.2")).status, 201);
}

TEST_F(Requests, RequestsFromOneAddressAreLimited) {
  RelayConfig config;
  config.limits.abuse.max_address_requests_per_s = 1;
  RelayKit kit(config);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(kit.ask(kListRooms, "", "", ip("192.0.2.1")).status, -1);
  const Answer list = kit.ask(kListRooms, "", "", ip("192.0.2.1"));
  EXPECT_EQ(list.frame_count, 1u);
  EXPECT_EQ(list.status, 429);
  const Answer create = kit.ask(kCreateRoom, "a", request("alice"), ip("192.0.2.1"));
  EXPECT_EQ(create.accepted, 202);  // each operation is refused in its own form
  EXPECT_EQ(create.status, 429);
  EXPECT_EQ(kit.ask(kCreateRoom, "a", request("alice"), ip("192.0.2.2")).status, 201);
  kit.now_ms += 1'000;
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("bob"), ip("192.0.2.1")).status, 201);
  EXPECT_EQ(kit.ask(kJoinRoom, "a", request("carol"), ip("192.0.2.1")).status, 429);
}

TEST_F(Requests, EveryRequestIsCountedOnce) {
  kit_.create("lobby", "alice");
  kit_.ask(kListRooms, "", "");
  kit_.ask(kJoinRoom, "nowhere", request("bob"));
  kit_.ask(99, "", "");
  EXPECT_EQ(kit_.count(Counter::kRequestsCompleted), 2u);
  EXPECT_EQ(kit_.count(Counter::kRequestsRefused), 2u);
}

}  // namespace
}  // namespace chatd
