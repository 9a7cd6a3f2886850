// Bundles grow to what a member's path takes, and shrink when it takes less.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/room/mtu_search.h"
#include "tests/unit/client/log_world.h"

namespace chatd::test {
namespace {

constexpr std::size_t kLine = 128;

// alice talks, bob listens.
class LogMtu : public testing::Test {
 protected:
  // So much is said at once, `times` times, a tenth of a second apart.
  void talk(int times, int messages = 30) {
    for (; times > 0; --times) {
      for (int i = 0; i < messages; ++i) {
        std::string line = std::to_string(said_.size()) + " ";
        line.resize(kLine, '.');
        said_.push_back("alice: " + line);
        world_.say(alice_, line);
      }
      world_.run_for(100);
    }
  }

  // The largest datagram that has come to bob since this was asked last.
  std::size_t largest_since() {
    std::size_t largest = 0;
    for (; seen_ < bob_.arrived.size(); ++seen_) {
      largest = std::max(largest, bob_.arrived[seen_].size());
    }
    return largest;
  }

  void expect_all_heard() {
    EXPECT_TRUE(world_.settle()) << world_.why_not_settled();
    EXPECT_EQ(bob_.heard(), alice_.heard()) << "in one order";
    std::vector<std::string> heard = bob_.heard();
    std::vector<std::string> said = said_;
    std::sort(heard.begin(), heard.end());
    std::sort(said.begin(), said.end());
    EXPECT_EQ(heard, said);
  }

  LogWorld world_{Network{.delay_ms = 20}};
  SealedMember& alice_ = world_.create("kitchen", "alice");
  SealedMember& bob_ = world_.join("kitchen", "bob");
  std::vector<std::string> said_;
  std::size_t seen_ = 0;
};

TEST_F(LogMtu, BundlesGrowWhereThePathTakesThem) {
  talk(10);
  largest_since();
  talk(3);
  EXPECT_GT(largest_since(), 30 * kLine);
  expect_all_heard();
  EXPECT_EQ(world_.count(Counter::kMtuProbesSent), 4u) << "two sizes, to two members";
  EXPECT_EQ(world_.count(Counter::kMtuProbesAnswered), 4u);
}

TEST_F(LogMtu, OnAnEthernetTheyHaveItsSize) {
  world_.network.path_bytes = 1472;
  talk(40);
  largest_since();
  talk(3);
  const std::size_t largest = largest_since();
  EXPECT_GT(largest, 1200u);
  EXPECT_LE(largest, 1452u);
  expect_all_heard();
  EXPECT_EQ(world_.count(Counter::kMtuProbesSent), 2u * (1 + MtuSearch::kMaxProbes));
}

TEST_F(LogMtu, WhereNothingLargerPassesItIsLeftAlone) {
  world_.network.path_bytes = 1252;
  talk(60);
  EXPECT_LE(largest_since(), 1200u);
  expect_all_heard();
  EXPECT_EQ(world_.count(Counter::kMtuProbesSent), 2u * MtuSearch::kMaxProbes);
  EXPECT_EQ(world_.count(Counter::kEntriesRepaired), 0u) << "a probe has cost an entry";
}

TEST_F(LogMtu, AfterTenMinutesItIsTriedAgain) {
  world_.network.path_bytes = 1252;
  talk(60);
  world_.network.path_bytes = 65'507;
  world_.run_for(MtuSearch::kRaiseAfterMs);
  talk(10);
  largest_since();
  talk(1);
  EXPECT_GT(largest_since(), 1452u);
  expect_all_heard();
}

TEST_F(LogMtu, WhoSaysOneThingAtATimeDrawsNoProbe) {
  talk(100, 1);
  expect_all_heard();
  EXPECT_EQ(world_.count(Counter::kMtuProbesSent), 0u);
}

// A black hole: the path swallows what it took before.
TEST_F(LogMtu, WhatAPathSwallowsArrivesAndBundlesBecomeSmall) {
  talk(10);
  world_.network.path_bytes = 1252;
  talk(60);
  expect_all_heard();
  largest_since();
  const std::uint64_t repaired = world_.count(Counter::kEntriesRepaired);
  EXPECT_GT(repaired, 0u);
  talk(20);
  EXPECT_LE(largest_since(), 1200u);
  expect_all_heard();
  EXPECT_EQ(world_.count(Counter::kEntriesRepaired), repaired) << "it swallows some still";
}

TEST_F(LogMtu, ASmallPathIsFoundWithinSomeSeconds) {
  talk(10);
  world_.network.path_bytes = 1252;
  const std::uint64_t before = world_.count(Counter::kEntriesRepaired);
  talk(100);
  expect_all_heard();
  // 300 messages a second to each, of which five seconds' worth may be lost.
  EXPECT_LE(world_.count(Counter::kEntriesRepaired) - before, 2u * 5 * 300);
}

TEST_F(LogMtu, OrdinaryLossDoesNotMakeThemSmall) {
  talk(10);
  world_.network.loss = 0.05;
  talk(100);
  const std::uint64_t probes = world_.count(Counter::kMtuProbesSent);
  world_.network.loss = 0;
  expect_all_heard();
  largest_since();
  talk(3);
  EXPECT_GT(largest_since(), 1452u);
  EXPECT_LE(probes, 4 + 2u * (10'000 / MtuSearch::kProveAgainAfterMs + MtuSearch::kMaxProbes));
  expect_all_heard();
}

// All is lost for a while, probes as well.
TEST_F(LogMtu, AMemberThatComesBackFromSilenceMissesNothing) {
  talk(10);
  world_.network.loss = 1;
  talk(10);
  world_.network.loss = 0;
  expect_all_heard();
}

TEST_F(LogMtu, AnotherAddressIsAnotherPath) {
  talk(10);
  bob_.from = at("198.51.100.7", 4000);
  world_.network.path_bytes = 1252;
  world_.run_for(30'000);  // bob's keep-alive comes from there, and it is proven
  ASSERT_EQ(world_.bound_of(bob_), bob_.from);
  largest_since();
  const std::uint64_t repaired = world_.count(Counter::kEntriesRepaired);
  bob_.arrived.clear();
  seen_ = 0;
  talk(1);
  EXPECT_LE(largest_since(), 1200u);
  EXPECT_GE(world_.count(Counter::kEntriesRepaired), repaired);
  expect_all_heard();
}

TEST_F(LogMtu, AnotherPortIsTheSamePath) {
  talk(10);
  bob_.from.port = 4001;
  bob_.session->say(world_.now_ms, "moved");
  world_.run_for(100);
  ASSERT_EQ(world_.bound_of(bob_), bob_.from);
  largest_since();
  talk(1);
  EXPECT_GT(largest_since(), 1452u);
}

TEST_F(LogMtu, AnotherServerBeginsAgain) {
  talk(10);
  world_.hand_over();
  largest_since();
  talk(1);
  EXPECT_LE(largest_since(), std::size_t{kBundleSizes[1]}) << "but for a probe nothing larger";
  talk(10);
  largest_since();
  talk(1);
  EXPECT_GT(largest_since(), 1452u);
  expect_all_heard();
}

// A long message of a member with protocol v1 has a datagram to itself, which may be cut.
TEST_F(LogMtu, ALongMessageOfVersion1Arrives) {
  const PlainMember carol = world_.join_v1("kitchen", "carol");
  world_.network.path_bytes = 1252;
  const std::string text(3000, 'x');
  world_.deliver(carol.from,
                 carol.with("kitchen", R"({"sender":"carol","message":")" + text + R"("})"));
  world_.run_for(100);
  ASSERT_EQ(bob_.heard().size(), 1u);
}

// --- Who may be probed with what -----------------------------------------------------------------

struct OverIpv6 {
  explicit OverIpv6(std::uint32_t max_segment_bytes)
      : world(Network{}, 1, config(max_segment_bytes)) {
    world.add({.operation = Operation::kCreate, .room = "r", .username = "a", .protocol = 2},
              at("2001:db8::1", 1));
    for (int round = 0; round < 60; ++round) {
      for (int i = 0; i < 30; ++i) world.say(world.members[0], std::string(kLine, 'x'));
      world.run_for(100);
    }
    for (const std::string& one : world.members[0].arrived) largest = std::max(largest, one.size());
  }
  static RelayConfig config(std::uint32_t max_segment_bytes) {
    RelayConfig config = LogWorld::config();
    config.trains.max_segment_bytes = max_segment_bytes;
    return config;
  }
  LogWorld world;
  std::size_t largest = 0;
};

// A socket for IPv6 cuts everything into pieces of the MTU that chatd was told.
TEST(LogMtuOverIpv6, BundlesKeepToTheMtuThatIsConfigured) {
  const OverIpv6 ordinary(1280 - 48);
  EXPECT_LE(ordinary.largest, 1200u);
  EXPECT_EQ(ordinary.world.count(Counter::kMtuProbesSent), 0u);
  const OverIpv6 ethernet(1500 - 48);
  EXPECT_EQ(ethernet.world.count(Counter::kMtuProbesSent), 1u);
  EXPECT_GT(ethernet.largest, 1300u);
  EXPECT_LE(ethernet.largest, 1452u);
}

}  // namespace
}  // namespace chatd::test
