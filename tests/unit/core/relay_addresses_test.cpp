// Where a member is: bound at once, pending until its first datagram, or roaming.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr std::uint16_t kServerPort = 9000;

RelayConfig config_with(bool roaming) {
  RelayConfig config;
  config.limits.roaming_same_ip = roaming;
  config.local_endpoints = {.addresses = {ip("192.0.2.1")},
                            .has_address = {},
                            .on_all_loopback = false,
                            .udp_port = kServerPort};
  return config;
}

class Addresses : public testing::TestWithParam<bool> {
 protected:
  void TearDown() override { EXPECT_TRUE(kit_.every_datagram_is_accounted_for()); }

  std::uint64_t wrong_address() const { return kit_.count(Counter::kDroppedWrongAddress); }
  // How many of alice's messages reach this endpoint.
  std::size_t reaches(const Endpoint& endpoint) {
    kit_.take();
    kit_.say(alice_);
    return heard_at(kit_.take(), endpoint).size();
  }

  RelayKit kit_{config_with(GetParam())};
  const Person alice_ = kit_.create("lobby", "alice", at("192.0.2.8", 1'000));
};

INSTANTIATE_TEST_SUITE_P(RoamingOffAndOn, Addresses, testing::Bool());

TEST_P(Addresses, NothingIsSentToAPendingMember) {
  const Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.7", 2'000));
  kit_.take();
  kit_.say(alice_);
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(kit_.count(Counter::kDroppedPendingMember), 1u);
  EXPECT_EQ(kit_.count(Counter::kDeliveriesPlanned), 0u);
}

TEST_P(Addresses, TheFirstDatagramBindsAPendingMember) {
  const Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.7", 2'000));
  kit_.beat(bob);
  EXPECT_EQ(kit_.count(Counter::kHeartbeats), 1u);
  EXPECT_EQ(reaches(bob.from), 1u);
}

TEST_P(Addresses, TheFirstMessageBindsAndIsRelayed) {
  const Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.7", 2'000));
  kit_.take();
  kit_.say(bob);
  EXPECT_EQ(heard_at(kit_.take(), alice_.from).size(), 1u);
  EXPECT_EQ(reaches(bob.from), 1u);
}

TEST_P(Addresses, APendingMemberIsBoundAtItsTcpAddressAlone) {
  Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.7", 2'000));
  for (const Endpoint& from :
       {at("198.51.100.1", 2'000), at("127.0.0.1", 2'000), at("192.0.2.7", 0), Endpoint{}}) {
    const std::uint64_t before = wrong_address();
    bob.from = from;
    kit_.beat(bob);
    EXPECT_EQ(wrong_address(), before + 1);
    EXPECT_EQ(reaches(from), 0u);
  }
  bob.from = at("::ffff:192.0.2.7", 2'000);
  kit_.beat(bob);
  EXPECT_EQ(reaches(at("192.0.2.7", 2'000)), 1u);
}

// Whoever can send from the server's own address could make chatd talk to itself.
TEST_P(Addresses, APendingMemberIsNotBoundToTheServersOwnSocket) {
  Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.1", kServerPort));
  kit_.beat(bob);
  EXPECT_EQ(wrong_address(), 1u);
  EXPECT_EQ(reaches(bob.from), 0u);
  bob.from.port = kServerPort + 1;
  kit_.beat(bob);
  EXPECT_EQ(reaches(bob.from), 1u);
}

TEST_P(Addresses, AForeignAddressInTheRequestIsNeverUsed) {
  const Answer answer =
      kit_.ask(kJoinRoom, "lobby",
               join_payload({.username = "bob", .ip = "198.51.100.1", .port = 53, .password = ""}),
               ip("192.0.2.7"));
  ASSERT_EQ(answer.status, 201);
  EXPECT_EQ(reaches(at("198.51.100.1", 53)), 0u);
  const Person bob{
      .room = "lobby", .name = "bob", .token = answer.token, .from = at("192.0.2.7", 2'000)};
  kit_.beat(bob);
  EXPECT_EQ(reaches(bob.from), 1u);
  EXPECT_EQ(reaches(at("198.51.100.1", 53)), 0u);
}

TEST_P(Addresses, ANewPortAtTheSameIpMovesTheMemberIfRoaming) {
  Person bob = kit_.join("lobby", "bob", at("192.0.2.7", 2'000));
  bob.from.port = 3'000;
  kit_.beat(bob);
  const bool roaming = GetParam();
  EXPECT_EQ(wrong_address(), roaming ? 0u : 1u);
  EXPECT_EQ(reaches(at("192.0.2.7", 3'000)), roaming ? 1u : 0u);
  EXPECT_EQ(reaches(at("192.0.2.7", 2'000)), roaming ? 0u : 1u);
}

// What waits in the room is not sent on the way: a move costs the same however much that is.
TEST_P(Addresses, WhoMovesToAndFroMakesNothingLeaveOutOfTurn) {
  constexpr int kMoves = 100;
  const Person carol = kit_.join("lobby", "carol", at("192.0.2.9", 4'000));
  Person bob = kit_.join("lobby", "bob", at("192.0.2.7", 2'000));
  kit_.take();
  for (int i = 0; i < kMoves; ++i) {
    kit_.say(alice_);
    bob.from.port = i % 2 == 0 ? 3'000 : 2'000;
    kit_.beat(bob);
    EXPECT_TRUE(kit_.take_outbox().empty()) << i;
  }
  const std::vector<Sent> sent = kit_.take();
  EXPECT_EQ(heard_at(sent, carol.from).size(), std::size_t{kMoves});
  EXPECT_EQ(
      heard_at(sent, at("192.0.2.7", 2'000)).size() + heard_at(sent, at("192.0.2.7", 3'000)).size(),
      std::size_t{kMoves});
}

TEST_P(Addresses, NobodyRoamsToAnotherIpPortZeroOrTheServer) {
  Person bob = kit_.join("lobby", "bob", at("192.0.2.1", 2'000));
  for (const Endpoint& from :
       {at("192.0.2.2", 2'000), at("192.0.2.1", 0), at("192.0.2.1", kServerPort)}) {
    bob.from = from;
    kit_.beat(bob);
    EXPECT_EQ(reaches(from), 0u);
  }
  EXPECT_EQ(wrong_address(), 3u);
  EXPECT_EQ(reaches(at("192.0.2.1", 2'000)), 1u);
}

TEST_P(Addresses, APendingMemberThatLeavesWasNeverBound) {
  const Person bob = kit_.join_pending("lobby", "bob", at("192.0.2.7", 2'000));
  kit_.take();
  kit_.leave(bob);
  EXPECT_EQ(heard_at(kit_.take(), alice_.from).size(), 1u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 1u);
  EXPECT_FALSE(kit_.relay.roster().find_bound(bob.from).has_value());
}

// One process may hold several members behind one socket.
TEST_P(Addresses, MembersAtOneEndpointHearEachForItself) {
  const Endpoint shared = at("192.0.2.7", 2'000);
  const Person bob = kit_.join("lobby", "bob", shared);
  const Person carol = kit_.join("lobby", "carol", shared);
  EXPECT_EQ(reaches(shared), 2u);
  kit_.leave(bob);
  EXPECT_EQ(reaches(shared), 1u);
  kit_.say(carol);
  EXPECT_EQ(heard_at(kit_.take(), alice_.from).size(), 1u);
}

}  // namespace
}  // namespace chatd
