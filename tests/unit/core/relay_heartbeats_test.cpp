// Heartbeats that ask whether the member is known, and their answers.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr const char* kAsking = R"({"heartbeat":"7c1b05c3a0d2f6e8"})";

class Heartbeats : public testing::Test {
 protected:
  RelayKit kit_;
  Person alice_ = kit_.create("k", "alice");
};

TEST_F(Heartbeats, ThatAskComeBackToTheirMemberAlone) {
  const Person bob = kit_.join("k", "bob");
  kit_.take();
  kit_.send(bob, kAsking);
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, bob.from);
  EXPECT_EQ(sent[0].payload, kAsking);
  EXPECT_EQ(sent[0].kind, Outbox::Kind::kAnswer);
  EXPECT_EQ(kit_.count(Counter::kHeartbeats), 1u);
  EXPECT_EQ(kit_.count(Counter::kHeartbeatsAnswered), 1u);
  EXPECT_TRUE(kit_.every_datagram_is_accounted_for());
}

// As old clients send them: nothing comes that they would not understand.
TEST_F(Heartbeats, ThatAreEmptyAreNotAnswered) {
  kit_.beat(alice_);
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(kit_.count(Counter::kHeartbeats), 1u);
  EXPECT_EQ(kit_.count(Counter::kHeartbeatsAnswered), 0u);
}

TEST_F(Heartbeats, ThatAskKeepTheMember) {
  const TimeMs timeout_ms = kit_.relay.limits().idle_timeout_ms;
  kit_.now_ms += timeout_ms - 1;
  kit_.send(alice_, kAsking);
  kit_.now_ms += timeout_ms - 1;
  kit_.relay.on_deadline(kit_.now_ms, kit_.out);
  EXPECT_EQ(kit_.relay.roster().members().size(), 1u);
  kit_.now_ms += 1;
  kit_.relay.on_deadline(kit_.now_ms, kit_.out);
  EXPECT_EQ(kit_.relay.roster().members().size(), 0u);
}

TEST_F(Heartbeats, ThatAskBindAPendingMemberAndAreAnsweredThere) {
  const Person bob = kit_.join_pending("k", "bob", at("127.0.0.1", 777));
  kit_.take();
  kit_.send(bob, kAsking);
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, bob.from);
}

// Whom the server does not know learns it by any of them: with a room name of one byte, too.
TEST_F(Heartbeats, ThatAskAreLongEnoughForARefusal) {
  kit_.leave(alice_);
  kit_.take();
  kit_.send(alice_, kAsking);
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].payload, kNotAuthenticated);
}

TEST_F(Heartbeats, ThatAskCostWhatAMessageCosts) {
  RelayConfig config;
  config.limits.abuse.max_member_messages_per_s = 5;
  RelayKit kit(config);
  const Person alice = kit.create("k", "alice");
  for (int i = 0; i < 30; ++i) kit.send(alice, kAsking);
  EXPECT_EQ(kit.take().size(), 10u + 1);  // a burst of two seconds, and that it asks too often
  EXPECT_EQ(kit.count(Counter::kHeartbeats), 20u);
  EXPECT_EQ(kit.count(Counter::kHeartbeatsAnswered), 10u);
  EXPECT_EQ(kit.count(Counter::kHeartbeatsUnanswered), 10u);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 10u);  // nobody has read these
  kit.now_ms += 2200;
  kit.send(alice, kAsking);
  EXPECT_EQ(kit.take().size(), 1u);
}

}  // namespace
}  // namespace chatd
