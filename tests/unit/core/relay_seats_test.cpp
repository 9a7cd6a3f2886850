// A member whose program crashed, or whose address changed, takes its own seat again by its token.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr const char* kOwnEnd =
    R"({"sender":"system","operation":2,"username":"bob","message":"You have been disconnected"})";

class Seats : public testing::Test {
 protected:
  Answer ask(std::uint8_t operation, const std::string& name, const std::string& token,
             const Endpoint& from, std::string_view password = "") {
    return kit_.ask(operation, "lobby",
                    join_payload({.username = name,
                                  .ip = "",
                                  .port = from.port,
                                  .password = std::string(password),
                                  .token = token}),
                    from.ip);
  }
  Endpoint bound(const Person& who) {
    const Roster& roster = kit_.relay.roster();
    return roster.endpoint_of(roster.members()[Token::parse(who.token).value().slot()]);
  }

  RelayKit kit_;
  Person alice_ = kit_.create("lobby", "alice");
  Person bob_ = kit_.join("lobby", "bob");
  const Endpoint elsewhere_ = at("192.0.2.7", 5'000);
  const std::vector<Sent> arrivals_ = kit_.take();
};

TEST_F(Seats, AreTakenFromAnywhereByTheirToken) {
  const Answer answer = ask(kJoinRoom, "bob", bob_.token, elsewhere_);
  EXPECT_EQ(answer.accepted, 202);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.token, bob_.token);
  EXPECT_EQ(bound(bob_), elsewhere_);
  // The old place hears of it, the others do not: nobody came or went.
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, bob_.from);
  EXPECT_EQ(sent[0].payload, kOwnEnd);
  EXPECT_EQ(kit_.count(Counter::kMembersReturned), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersJoined), 2u);

  kit_.say(bob_);  // from the old place
  EXPECT_EQ(kit_.count(Counter::kDroppedWrongAddress), 1u);
  kit_.take();
  Person here = bob_;
  here.from = elsewhere_;
  kit_.say(here);
  kit_.say(alice_);
  const auto talk = kit_.take();
  EXPECT_EQ(heard_at(talk, alice_.from).size(), 1u);
  EXPECT_EQ(heard_at(talk, elsewhere_).size(), 1u);
  EXPECT_TRUE(heard_at(talk, bob_.from).empty());
}

// Asking twice, since the first answer was lost, changes nothing and is told to nobody.
TEST_F(Seats, MayBeTakenTwice) {
  EXPECT_EQ(ask(kJoinRoom, "bob", bob_.token, bob_.from).status, 201);
  EXPECT_EQ(ask(kJoinRoom, "bob", bob_.token, bob_.from).status, 201);
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(bound(bob_), bob_.from);
}

TEST_F(Seats, OfTheHostMayBeCreatedAgain) {
  const Answer answer = ask(kCreateRoom, "alice", alice_.token, elsewhere_);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.token, alice_.token);
  EXPECT_EQ(bound(alice_), elsewhere_);
  EXPECT_EQ(kit_.count(Counter::kRoomsCreated), 1u);
  EXPECT_EQ(ask(kCreateRoom, "bob", bob_.token, elsewhere_).status, 404);  // no host
  EXPECT_EQ(ask(kJoinRoom, "alice", alice_.token, alice_.from).status, 201);
  // It is the host as before: the room ends with it.
  kit_.leave(alice_);
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 0u);
}

TEST_F(Seats, AreForTheRightTokenNameAndRoomAlone) {
  std::string other = bob_.token;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_EQ(ask(kJoinRoom, "bob", other, elsewhere_).status, 404);
  EXPECT_EQ(ask(kJoinRoom, "bob", alice_.token, elsewhere_).status, 404);
  EXPECT_EQ(ask(kJoinRoom, "carol", bob_.token, elsewhere_).status, 404);
  EXPECT_EQ(kit_.ask(kJoinRoom, "den",
                     join_payload({.username = "bob", .ip = "", .port = 1, .token = bob_.token}))
                .status,
            404);
  EXPECT_EQ(bound(bob_), bob_.from);
  EXPECT_TRUE(kit_.take().empty());
  // Without a token the name is taken, as ever.
  EXPECT_EQ(ask(kJoinRoom, "bob", "", elsewhere_).status, 409);
}

// Who was removed does not come in by an old token.
TEST_F(Seats, EndWithTheMember) {
  ASSERT_TRUE(kit_.relay.kick(kit_.now_ms, "lobby", "bob", kit_.out));
  EXPECT_EQ(ask(kJoinRoom, "bob", bob_.token, bob_.from).status, 404);
  kit_.leave(alice_);
  EXPECT_EQ(ask(kCreateRoom, "alice", alice_.token, alice_.from).status, 404);
  EXPECT_EQ(kit_.relay.roster().members().size(), 0u);
}

TEST_F(Seats, ArePendingWhereTheAddressIsNotProven) {
  const Answer answer = kit_.ask(
      kJoinRoom, "lobby",
      join_payload({.username = "bob", .ip = "10.1.2.3", .port = 5'000, .token = bob_.token}),
      elsewhere_.ip);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(bound(bob_).port, 0);
  kit_.take();
  Person here = bob_;
  here.from = at("192.0.2.7", 61'000);
  kit_.beat(here);
  EXPECT_EQ(bound(bob_), here.from);
}

TEST_F(Seats, StartTheIdleTimeoutAnew) {
  const TimeMs timeout_ms = kit_.relay.limits().idle_timeout_ms;
  kit_.now_ms += timeout_ms - 1;
  kit_.beat(alice_);
  EXPECT_EQ(ask(kJoinRoom, "bob", bob_.token, elsewhere_).status, 201);
  kit_.now_ms += timeout_ms - 1;
  kit_.relay.on_deadline(kit_.now_ms, kit_.out);
  EXPECT_EQ(kit_.relay.roster().members().size(), 2u);
}

// It takes nobody else's place.
TEST(SeatsAtTheLimit, AreTakenInAFullRoomAndServer) {
  RelayConfig config;
  config.limits.max_room_members = 2;
  config.limits.max_members = 2;
  config.limits.max_rooms = 1;
  config.limits.abuse.max_address_rooms = 1;
  config.limits.abuse.limit_loopback = true;
  RelayKit kit(config);
  const Person alice = kit.create("lobby", "alice");
  const Person bob = kit.join("lobby", "bob");
  const auto again = [&](std::uint8_t operation, const Person& who) {
    return kit
        .ask(operation, "lobby",
             join_payload({.username = who.name, .ip = "", .port = 9, .token = who.token}))
        .status;
  };
  EXPECT_EQ(again(kJoinRoom, bob), 201);
  EXPECT_EQ(again(kCreateRoom, alice), 201);
  EXPECT_EQ(again(kCreateRoom, alice), 201);
}

TEST(SeatsBehindAPassword, AskForItToo) {
  RelayKit kit;
  const Person alice = kit.create("den", "alice", at("127.0.0.1", 1'000), "secret");
  const Person bob = kit.join("den", "bob", at("127.0.0.1", 1'001), "secret");
  const auto again = [&](std::uint8_t operation, const Person& who, const char* password) {
    return kit
        .ask(operation, "den",
             join_payload({.username = who.name,
                           .ip = "",
                           .port = 9,
                           .password = password,
                           .token = who.token}))
        .status;
  };
  EXPECT_EQ(again(kJoinRoom, bob, ""), 401);
  EXPECT_EQ(again(kJoinRoom, bob, "wrong"), 401);
  EXPECT_EQ(again(kJoinRoom, bob, "secret"), 201);
  EXPECT_EQ(again(kCreateRoom, alice, ""), 401);
  EXPECT_EQ(again(kCreateRoom, alice, "secret"), 201);
}

}  // namespace
}  // namespace chatd
