// What a member with protocol v2 is told a second time, or too late, or of an earlier session.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "client/lib/log_session.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

const LogEvent* find_event(const SealedMember& member, LogEvent::Kind kind) {
  const auto found = std::find_if(member.events.begin(), member.events.end(),
                                  [kind](const LogEvent& event) { return event.kind == kind; });
  return found == member.events.end() ? nullptr : &*found;
}

// Numbers begin anew with each session, and the member stays the same.
TEST(LogSessionRepeats, WhatAnEarlierSessionSaidIsNoEcho) {
  LogWorld world;
  world.create("kitchen", "alice", 100);
  SealedMember& bob = world.join("kitchen", "bob");
  world.say(bob, "before");
  ASSERT_TRUE(world.settle());
  SealedMember& again =
      world.add({.room = "kitchen", .username = "bob", .token = bob.token, .protocol = 2},
                world.next_endpoint());
  world.say(again, "after");
  ASSERT_TRUE(world.settle());
  const LogEvent* const delivered = find_event(again, LogEvent::Kind::kDelivered);
  ASSERT_NE(delivered, nullptr);
  EXPECT_EQ(again.count(LogEvent::Kind::kDelivered), 1u);
  for (const LogEvent& event : again.events) {
    if (event.kind != LogEvent::Kind::kSaid) continue;
    EXPECT_EQ(event.id, event.text == "after" ? 1u : 0u) << event.text;
    if (event.text == "after") {
      EXPECT_EQ(event.number, delivered->number);
    }
  }
}

TEST(LogSessionRepeats, ARefusalThatWasLostIsSaidAgain) {
  RelayConfig config = LogWorld::config();
  config.limits.abuse.max_member_messages_per_s = 1;  // bursts of two
  LogWorld world({}, 1, config);
  SealedMember& alice = world.create("kitchen", "alice");
  world.run_for(100);
  world.say(alice, "\xff");
  for (int i = 0; i < 4; ++i) world.say(alice, "too much");
  world.network.loss = 1;
  world.run_for(30);
  EXPECT_EQ(world.count(Counter::kSaysRefused), 1u) << "what is no text";
  EXPECT_EQ(world.count(Counter::kMessagesOverLimit), 3u) << "towards which it counts as well";
  world.network.loss = 0;
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_EQ(alice.count(LogEvent::Kind::kRefused), 4u);
  EXPECT_EQ(alice.count(LogEvent::Kind::kDelivered), 1u);
  EXPECT_EQ(find_event(alice, LogEvent::Kind::kRefused)->text, "it is not text");
}

TEST(LogSessionRepeats, AHandOverKeepsWhatWasRefused) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  world.run_for(100);
  world.say(alice, "\xff");
  world.network.loss = 1;
  world.run_for(30);
  world.hand_over();
  world.network.loss = 0;
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_EQ(alice.count(LogEvent::Kind::kRefused), 1u);
}

// How long it took to ask for an echo that was lost is no round trip.
TEST(LogSessionRepeats, ALossyPathIsNotTakenForALongOne) {
  LogWorld world({.loss = 0.3, .delay_ms = 10});
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  for (int i = 0; i < 300; ++i) {
    world.say(i % 2 == 0 ? alice : bob, "m" + std::to_string(i));
    world.run_for(10);
  }
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_NEAR(static_cast<double>(alice.session->round_trip_ms()), 20, 5);
  EXPECT_NEAR(static_cast<double>(bob.session->round_trip_ms()), 20, 5);
}

// The answer to a challenge may take longer than the time after which the next one is due.
TEST(LogSessionRepeats, AnAddressIsProvenOnALongPath) {
  LogWorld world({.delay_ms = 300});
  world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(2'000);
  bob.from = test::at("192.0.2.7", 4711);
  for (int i = 0; i < 40; ++i) {
    world.say(bob, "on the way");
    world.run_for(50);
  }
  EXPECT_EQ(world.bound_of(bob), bob.from);
  EXPECT_EQ(world.count(Counter::kPathResponsesWrong), 0u);
}

// What was taken and is no longer kept has no echo any more: the sender is told that it was taken,
// and does not say it for ever.
TEST(LogSessionRepeats, AMessageWhoseEchoIsLostForGoodCountsAsDelivered) {
  LogWorld world({}, 1, LogWorld::config_that_keeps(10));
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  world.say(alice, "the first");
  world.run_for(5);
  world.network.loss = 1;
  world.run_for(10);                   // it has arrived
  alice.from = world.next_endpoint();  // nothing of what follows reaches her
  world.network.loss = 0;
  for (int i = 0; i < 30; ++i) {
    world.say(bob, "another");
    world.run_for(1);
  }
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_EQ(alice.count(LogEvent::Kind::kGap), 1u);
  EXPECT_EQ(alice.count(LogEvent::Kind::kDelivered), 1u);
  EXPECT_EQ(find_event(alice, LogEvent::Kind::kDelivered)->number, 0u);
  EXPECT_EQ(world.count(Counter::kMessagesAccepted), 31u);
}

// The last entries, and all that was said of the log's end, are lost: one question finds them all.
TEST(LogSessionRepeats, AMemberThatMissedTheEndLearnsAllOfItFromOneQuestion) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  const Endpoint place = bob.from;
  bob.from = world.next_endpoint();  // nothing reaches him, and he says nothing
  for (int i = 0; i < 20; ++i) {
    world.say(alice, "hello");
    world.run_for(10);
  }
  world.run_for(10'000);
  EXPECT_EQ(bob.session->complete(), 1u);
  bob.from = place;
  world.run_for(16'000);  // after 25 s he asks whether anybody is there
  EXPECT_EQ(bob.count(LogEvent::Kind::kSaid), 20u);
  EXPECT_EQ(bob.session->stats().repairs_asked, 1u);
}

// Whoever goes is gone, though what it said of that was lost, or what it was answered.
TEST(LogSessionRepeats, ALeaveIsSaidUntilItIsHeard) {
  for (const bool is_answer_lost : {false, true}) {
    SCOPED_TRACE(is_answer_lost);
    LogWorld world;
    SealedMember& alice = world.create("kitchen", "alice");
    SealedMember& bob = world.join("kitchen", "bob");
    ASSERT_TRUE(world.settle());
    bob.session->leave();
    if (is_answer_lost) world.run_for(5);  // on its way, and not answered yet
    world.network.loss = 1;
    world.run_for(30);
    EXPECT_FALSE(bob.session->is_over());
    world.network.loss = 0;
    world.run_for(1'000);
    EXPECT_TRUE(bob.session->is_over());
    EXPECT_EQ(bob.events.back().kind, LogEvent::Kind::kClosed);
    EXPECT_EQ(bob.events.back().close_reason, v2::CloseReason::kLeft);
    EXPECT_EQ(alice.log(), (std::vector<std::string>{"bob joined", "bob left"}));
    EXPECT_EQ(world.count(Counter::kLeavesSealed), 1u);
    EXPECT_FALSE(bob.session->next_deadline().has_value());
  }
}

TEST(LogSessionRepeats, WhatWasSaidBeforeALeaveArrives) {
  LogWorld world({.loss = 0.29, .delay_ms = 10, .jitter_ms = 30}, 5);
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  for (int i = 0; i < 50; ++i) world.say(bob, "m" + std::to_string(i));
  bob.session->leave();
  world.run_for(60'000);
  EXPECT_EQ(bob.count(LogEvent::Kind::kDelivered), 50u);
  EXPECT_EQ(alice.log().size(), 52u) << "and that bob has come and gone";
  EXPECT_EQ(alice.log().back(), "bob left");
}

// Somebody who goes although something is under way is gone all the same.
TEST(LogSessionRepeats, WhatIsGivenUpKeepsNobodyFromLeaving) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  world.network.loss = 1;
  world.say(bob, "does anybody hear me?");
  world.run_for(200);
  bob.session->give_up_unsettled();
  bob.session->leave();
  world.network.loss = 0;
  world.run_for(1'000);
  EXPECT_TRUE(bob.session->is_over());
  EXPECT_EQ(bob.events.back().close_reason, v2::CloseReason::kLeft);
  EXPECT_EQ(alice.log(), (std::vector<std::string>{"bob joined", "bob left"}));
}

TEST(LogSessionRepeats, ALeaveThatNobodyAnswersEnds) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  ASSERT_TRUE(world.settle());
  alice.session->leave();
  world.network.loss = 1;
  world.run_for(60'000);
  EXPECT_TRUE(alice.session->is_over());
  EXPECT_EQ(alice.events.back().kind, LogEvent::Kind::kClosed);
  EXPECT_EQ(alice.events.back().text, "the server does not answer");
}

}  // namespace
}  // namespace chatd
