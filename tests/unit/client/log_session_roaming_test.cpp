// A member with protocol v2 moves between IPv4 and IPv6 while the room talks; and what somebody can
// have sent to an address of the other family that is not theirs.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/lib/log_session.h"
#include "tests/support/said_by.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

// Where it was before, nobody hears any more: a telephone has lost the one network for the other.
TEST(LogSessionRoaming, AMemberMovesBetweenFamiliesInTheMiddleOfTalk) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    LogWorld world({.loss = 0.1, .duplicates = 0.1, .delay_ms = 10, .jitter_ms = 20}, seed);
    world.session_options.keeps_order = true;
    SealedMember& alice = world.create("kitchen", "alice");
    SealedMember& bob = world.join("kitchen", "bob");
    ASSERT_TRUE(world.settle()) << world.why_not_settled();
    const Endpoint home = bob.from;  // where its TCP connection came from: proven
    std::vector<std::string> said_by_alice;
    std::vector<std::string> said_by_bob;
    std::uint64_t challenges = 0;
    for (const Endpoint& next : {test::at("2001:db8::7", 4711), home, test::at("2001:db8::7", 4712),
                                 test::at("192.0.2.7", 4713), test::at("2001:db8:1::7", 4714)}) {
      for (int i = 0; i < 40; ++i) {
        // Something of his is under way when he moves.
        if (i == 20) bob.from = next;
        const std::string text = std::to_string(said_by_bob.size());
        said_by_bob.push_back("bob: " + text);
        said_by_alice.push_back("alice: " + text);
        world.say(bob, text);
        world.say(alice, text);
        world.run_for(10);
      }
      ASSERT_TRUE(world.settle()) << world.why_not_settled();
      EXPECT_EQ(world.bound_of(bob), next);
      const bool is_asked = world.count(Counter::kPathChallenges) > challenges;
      EXPECT_EQ(is_asked, !(next == home));
      challenges = world.count(Counter::kPathChallenges);
    }
    const auto heard = alice.heard();
    EXPECT_TRUE(bob.heard() == heard);
    EXPECT_EQ(heard.size(), said_by_alice.size() + said_by_bob.size());
    EXPECT_EQ(test::said_by("alice", heard), said_by_alice);
    EXPECT_EQ(test::said_by("bob", heard), said_by_bob);
    EXPECT_EQ(bob.session->stats().entries_lost, 0u);
    EXPECT_EQ(world.count(Counter::kDroppedNotOpened), 0u);
  }
}

// The address that TCP has proven is taken at once, but only from the newest datagram.
TEST(LogSessionRoaming, WhatComesLateFromWhereItWasMovesNobodyBack) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  const Endpoint home = bob.from;
  ASSERT_NE(bob.session->say(world.now_ms, "late"), 0u);
  const auto late = bob.session->next_datagram(world.now_ms);
  ASSERT_TRUE(late.has_value());
  bob.from = test::at("2001:db8::7", 4711);
  world.say(bob, "from elsewhere");
  world.run_for(100);
  ASSERT_EQ(world.bound_of(bob), bob.from);
  world.deliver(home, *late);
  EXPECT_EQ(world.bound_of(bob), bob.from);
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_EQ(alice.heard().size(), 2u) << "what it says counts";
  EXPECT_EQ(world.count(Counter::kPathChallenges), 1u);
}

// Somebody sends what a member has sealed in the name of a victim, and the room talks much: but for
// the question whether it is there nothing goes to the victim, and that is little.
class ForgedFamily : public testing::TestWithParam<const char*> {
 protected:
  ForgedFamily() : alice_(world_.create("kitchen", "alice")), bob_(world_.join("kitchen", "bob")) {
    world_.guests.push_back({.from = victim_,
                             .on_datagram =
                                 [this](std::string_view bytes) {
                                   ++datagrams_out_;
                                   bytes_out_ += bytes.size();
                                 },
                             .on_deadline = [] {},
                             .next_deadline = [] { return std::nullopt; },
                             .next_datagram = [] { return std::nullopt; }});
  }

  // What bob has to send comes from the victim's address.
  void forge() {
    while (const auto datagram = bob_.session->next_datagram(world_.now_ms)) {
      bytes_in_ += datagram->size();
      world_.deliver(victim_, *datagram);
    }
  }

  const Endpoint victim_ = test::at(GetParam(), 4711);
  LogWorld world_;
  SealedMember& alice_;
  SealedMember& bob_;
  std::size_t bytes_in_ = 0;
  std::size_t datagrams_out_ = 0;
  std::size_t bytes_out_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Both, ForgedFamily, testing::Values("2001:db8::7", "192.0.2.7"),
                         [](const auto& ip) {
                           return std::string_view(ip.param).find(':') == std::string_view::npos
                                      ? "V4"
                                      : "V6";
                         });

TEST_P(ForgedFamily, IsSentAtMostThreeTimesWhatCameFromThere) {
  ASSERT_TRUE(world_.settle());
  const Endpoint home = bob_.from;
  for (int i = 0; i < 300; ++i) {
    ASSERT_NE(bob_.session->say(world_.now_ms, "x"), 0u);
    forge();
    world_.say(alice_, std::string(1'000, 'x'));
    world_.run_for(10);
    ASSERT_LE(bytes_out_, 3 * bytes_in_);
  }
  EXPECT_EQ(datagrams_out_, world_.count(Counter::kPathChallenges));
  EXPECT_GE(datagrams_out_, 10u) << "else it was not asked";
  EXPECT_LE(datagrams_out_, 16u) << "every 200 ms at most";
  ASSERT_TRUE(world_.settle()) << world_.why_not_settled();
  EXPECT_EQ(world_.bound_of(bob_), home);
  EXPECT_EQ(bob_.count(LogEvent::Kind::kSaid), 600u) << "he hears and is heard where he is";
}

// Once is enough for a bound: the smallest datagram of a client there is.
TEST_P(ForgedFamily, IsSentAtMostThreeTimesTheSmallestDatagram) {
  ASSERT_TRUE(world_.settle());
  world_.run_for(10'000);
  bob_.session->leave();
  const auto datagram = bob_.session->next_datagram(world_.now_ms);
  ASSERT_TRUE(datagram.has_value());
  ASSERT_EQ(datagram->size(), v2::kOverheadBytes + 1) << "LEAVE and nothing else";
  world_.deliver(victim_, *datagram);
  world_.run_for(1'000);
  EXPECT_GT(bytes_out_, 0u) << "else it was not asked";
  EXPECT_LE(bytes_out_, 3 * datagram->size());
}

}  // namespace
}  // namespace chatd
