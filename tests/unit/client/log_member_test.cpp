// A member over several sessions: what it says is in the room once, and what others say is told
// once, whatever becomes of the sessions.
#include "client/lib/log_member.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client/log_person.h"

namespace chatd {
namespace {

using client::Event;
using client::LogMember;
using Kind = client::Event::Kind;
using test::create;
using test::join;
using test::LogPerson;
using test::LogWorld;
using test::PlainMember;
using test::SealedMember;
using Lines = std::vector<std::string>;
// Its session is gone, and it finds out with what it says next: what the server has to say of it is
// lost.
void take_session(LogWorld& world, const std::string& name, const Token& token) {
  client::EntryRequest request{.room = "kitchen", .username = name, .token = token, .protocol = 2};
  const double loss = std::exchange(world.network.loss, 1);
  ASSERT_TRUE(world.ask(request, world.next_endpoint()).has_value());
  world.network.loss = loss;
}

TEST(LogMember, WhatItSaysIsDeliveredAndHeard) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  const std::uint64_t id = bob.say("hi");
  world.say(alice, "hello");
  world.run_for(200);
  EXPECT_EQ((*bob).undelivered(), 0u);
  EXPECT_EQ(bob.log().size(), 2u);
  EXPECT_EQ(alice.log().size(), 3u);
  for (const Event& event : bob.events()) {
    const bool is_own = event.kind == Kind::kMessage && event.name == "bob";
    EXPECT_EQ(event.is_own, is_own);
    EXPECT_EQ(event.id, is_own || event.kind == Kind::kDelivered ? id : 0);
  }
}

TEST(LogMember, HistoryIsToldAsSuch) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice", 10);
  world.run_for(100);
  world.say(alice, "before");
  ASSERT_TRUE(world.settle());
  LogPerson bob(world, join("bob"), {.wants_history = true});
  LogPerson carol(world, join("carol"));
  world.run_for(500);
  world.say(alice, "after");
  world.run_for(500);
  EXPECT_EQ(bob.log(), (Lines{"alice: before", "alice: after"}));
  EXPECT_TRUE(bob.events().front().is_history);
  EXPECT_EQ(bob.count(Kind::kCaughtUp), 1);
  EXPECT_EQ(carol.log(), Lines{"alice: after"});
}

TEST(LogMember, MembersWithProtocol1AreUnderstood) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  const PlainMember carol = world.join_v1("kitchen", "carol");
  world.run_for(100);
  for (const char* const payload : {R"({"sender":"carol","message":"tea"})",
                                    R"({"sender":"carol","operation":2,"username":"bob"})"}) {
    world.deliver(carol.from, carol.with("kitchen", payload));
    world.run_for(100);
  }
  EXPECT_EQ(bob.log(), Lines{"carol: tea"});
  EXPECT_EQ(bob.count(Kind::kMalformed), 1);
}

// The server proves that it does not know the session, and lets the member back to its seat. What
// was said on both sides meanwhile is told once and in order.
TEST(LogMember, TakesItsSeatAgainAndMissesNothing) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  bob.say("one");
  world.run_for(100);
  take_session(world, "bob", (*bob).token());
  world.say(alice, "meanwhile");
  world.run_for(1'000);
  bob.say("two");
  world.run_for(5'000);
  EXPECT_EQ((*bob).undelivered(), 0u);
  EXPECT_FALSE((*bob).is_lost());
  EXPECT_EQ(bob.log(), (Lines{"bob: one", "alice: meanwhile", "bob: two"}));
  EXPECT_EQ(alice.log(), (Lines{"bob joined", "bob: one", "alice: meanwhile", "bob: two"}));
  EXPECT_EQ(bob.count(Kind::kAnswered), 1);
  EXPECT_EQ(bob.count(Kind::kDelivered), 2);
}

// Taken by the server, but the echo was lost with the session: it is found in the log, and not said
// again.
TEST(LogMember, WhatWasTakenIsNotSaidAgain) {
  LogWorld world({.delay_ms = 50});
  SealedMember& alice = world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(500);
  const std::uint64_t first = bob.say("same words");
  world.run_for(60);  // it is there, and the echo is on its way
  bob.say("same words");
  take_session(world, "bob", (*bob).token());  // before the second one arrives
  world.run_for(10'000);
  EXPECT_EQ((*bob).undelivered(), 0u);
  EXPECT_EQ(alice.log(), (Lines{"bob joined", "bob: same words", "bob: same words"}));
  EXPECT_EQ(bob.log(), (Lines{"bob: same words", "bob: same words"}));
  EXPECT_EQ(bob.count(Kind::kDelivered), 2);
  std::vector<std::uint64_t> ids;
  for (const Event& event : bob.events()) {
    if (event.kind == Kind::kMessage) ids.push_back(event.id);
  }
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{first, first + 1}));
}

// On any network, with sessions lost at any time.
TEST(LogMember, EverythingIsToldOnceWhateverHappensToSessions) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
    SCOPED_TRACE(seed);
    LogWorld world({.loss = 0.1, .duplicates = 0.1, .delay_ms = 20, .jitter_ms = 30}, seed);
    SealedMember& alice = world.create("kitchen", "alice");
    LogPerson bob(world, join("bob"));
    world.run_for(1'000);
    std::mt19937_64 random(seed);
    Lines said;
    for (int i = 0; i < 60; ++i) {
      const std::string text = "m" + std::to_string(i);
      said.push_back("bob: " + text);
      bob.say(text);
      if (random() % 2 == 0) world.say(alice, "a" + std::to_string(i));
      if (random() % 10 == 0) take_session(world, "bob", (*bob).token());
      if (random() % 10 == 0) world.hand_over();
      world.run_for(random() % 300);
    }
    world.run_for(60'000);
    EXPECT_EQ((*bob).undelivered(), 0u);
    Lines heard = alice.log();
    heard.erase(heard.begin());  // "bob joined"
    const Lines told = bob.log();
    const auto [mine, others] = std::mismatch(told.begin(), told.end(), heard.begin(), heard.end());
    EXPECT_EQ(Lines(mine, told.end()), Lines(others, heard.end()));
    std::erase_if(heard, [](const std::string& line) { return line.starts_with("alice"); });
    std::sort(heard.begin(), heard.end());
    std::sort(said.begin(), said.end());
    EXPECT_EQ(heard, said);
  }
}

TEST(LogMember, WhoWasRemovedStaysOut) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  ASSERT_TRUE(world.relay->kick(world.now_ms, "kitchen", "bob", world.out));
  world.run_for(5'000);
  EXPECT_TRUE((*bob).is_over());
  EXPECT_EQ(bob.last().kind, Kind::kDisconnected);
  EXPECT_EQ(bob.asked, 0);
}

TEST(LogMember, WhoWasBannedHearsWhy) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  const std::string reason(kMaxBanReasonBytes, 'x');
  world.relay->set_bans(std::make_shared<const BanList>(
      std::vector<Ban>{{.target = std::string("bob"), .reason = reason}}));
  world.run_for(5'000);
  EXPECT_TRUE((*bob).is_over());
  EXPECT_EQ(bob.last().kind, Kind::kDisconnected);
  EXPECT_EQ(bob.last().text, "you are banned from this server: " + reason);
  EXPECT_EQ(bob.asked, 0);
  const auto again = world.ask(join("Bob"), world.next_endpoint());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().status, 403);
  EXPECT_EQ(again.error().reason, "you are banned from this server: " + reason);
}

// It was silent for so long that the server has removed it, and hears that at last.
TEST(LogMember, WhoWasRemovedForItsSilenceComesBack) {
  RelayConfig config = LogWorld::config();
  config.limits.idle_timeout_ms = 10'000;
  LogWorld world({}, 1, config);
  SealedMember& alice = world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  test::Guest& asleep = world.guests.front();
  const auto next_deadline = std::exchange(asleep.next_deadline, [] { return std::nullopt; });
  const auto on_deadline = std::exchange(asleep.on_deadline, [] {});
  world.run_for(30'000);
  asleep.next_deadline = next_deadline;
  asleep.on_deadline = on_deadline;
  bob.say("good morning");
  world.run_for(5'000);
  EXPECT_EQ((*bob).undelivered(), 0u);
  EXPECT_EQ(alice.log().back(), "bob: good morning");
}

// The host creates its room again, and the others join it when it is there.
TEST(LogMember, ARoomBeginsAnewWhenTheServerDoes) {
  LogWorld world;
  LogPerson alice(world, create("alice"));
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  world.start_afresh();
  bob.say("is anybody there?");
  world.run_for(10'000);  // alice has said nothing, and does not know yet
  EXPECT_TRUE((*bob).is_lost());
  alice.say("yes");
  world.run_for(40'000);
  EXPECT_FALSE((*alice).is_over());
  EXPECT_FALSE((*bob).is_over());
  EXPECT_EQ((*alice).undelivered() + (*bob).undelivered(), 0u);
  EXPECT_EQ(alice.log(), (Lines{"alice: yes", "bob: is anybody there?"}));
  EXPECT_EQ(bob.log(), Lines{"bob: is anybody there?"});
}

TEST(LogMember, ARoomThatDoesNotComeBackIsTheEnd) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  world.start_afresh();
  bob.say("is anybody there?");
  world.run_for(90'000);
  EXPECT_TRUE((*bob).is_over());
  EXPECT_EQ(bob.last().kind, Kind::kNotAuthenticated);
  EXPECT_EQ(bob.last().text, "there is no room of this name");
}

TEST(LogMember, SilenceIsToldAndEndsInTime) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  world.network.loss = 1;
  bob.has_tls = false;
  bob.say("hello?");
  world.run_for(10'000);
  EXPECT_EQ(bob.last().kind, Kind::kUnanswered);
  EXPECT_EQ(bob.count(Kind::kUnanswered), 1);
  world.network.loss = 0;
  world.run_for(10'000);
  EXPECT_EQ(bob.last().kind, Kind::kMessage);
  EXPECT_EQ(bob.count(Kind::kAnswered), 1);
  world.network.loss = 1;
  world.run_for(400'000);
  EXPECT_EQ(bob.last().kind, Kind::kServerGone);
  EXPECT_LT(bob.asked, 30);
}

// Datagrams are lost on the way, and TCP is not: each attempt brings a seat, and none helps.
TEST(LogMember, ASeatWithoutDatagramsIsNotAskedForAllTheTime) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  world.network.loss = 1;
  bob.say("hello?");
  world.run_for(60'000);
  EXPECT_LT(bob.asked, 8);
  EXPECT_EQ(bob.count(Kind::kUnanswered), 1);
  world.network.loss = 0;
  world.run_for(60'000);
  EXPECT_EQ(bob.log(), Lines{"bob: hello?"});
  EXPECT_EQ(bob.count(Kind::kAnswered), 1);
}

// A reset without proof may be forged.
TEST(LogMember, AnAnswerThatProvesNothingIsDoubted) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  const std::string forged(34, 'x');
  (*bob).on_datagram(world.now_ms, forged);
  bob.say("I am here");
  world.run_for(10'000);
  EXPECT_EQ(bob.asked, 0);
  (*bob).on_datagram(world.now_ms, forged);
  world.network.loss = 1;
  world.run_for(3'000);
  EXPECT_GE(bob.asked, 1);
}

TEST(LogMember, RefusalsAreBelievedWhenNothingElseIsHeard) {
  LogWorld world;
  world.create("kitchen", "alice");
  LogPerson bob(world, join("bob"));
  world.run_for(100);
  for (int i = 0; i < 2; ++i) (*bob).on_unreachable(world.now_ms);
  bob.say("I am here");
  world.run_for(100);
  (*bob).on_unreachable(world.now_ms);
  EXPECT_FALSE((*bob).is_lost());
  for (int i = 0; i < 2; ++i) (*bob).on_unreachable(world.now_ms);
  EXPECT_TRUE((*bob).is_lost());
}

TEST(LogMember, WhatIsRefusedIsToldWithItsReason) {
  RelayConfig config = LogWorld::config();
  config.limits.abuse.max_member_messages_per_s = 1;
  LogWorld world({}, 1, config);
  LogPerson alice(world, create("alice"));
  world.run_for(100);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(alice.say("m" + std::to_string(i)));
  world.run_for(1'000);
  EXPECT_EQ((*alice).undelivered(), 0u);
  EXPECT_EQ(alice.count(Kind::kRefused), 2);
  for (const Event& event : alice.events()) {
    if (event.kind != Kind::kRefused) continue;
    EXPECT_GT(event.id, ids[1]);
    EXPECT_EQ(event.text, "you say more than you may");
  }
}

// People paste texts, and read them from top to bottom.
TEST(LogMember, WhatItSaysStandsInTheRoomAsItWasSaid) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    LogWorld world({.loss = 0.1, .jitter_ms = 20}, seed);
    SealedMember& alice = world.create("kitchen", "alice");
    LogPerson bob(world, join("bob"));
    Lines said;
    for (int i = 0; i < 200; ++i) {
      bob.say(std::to_string(i));
      said.push_back("bob: " + std::to_string(i));
      if (i % 10 == 0) world.run_for(20);
    }
    world.run_for(30'000);
    Lines heard = alice.log();
    std::erase(heard, "bob joined");
    EXPECT_EQ(heard, said) << "seed " << seed;
    EXPECT_EQ((*bob).undelivered(), 0u);
  }
}

TEST(LogMember, OnlyTextIsTaken) {
  LogWorld world;
  LogPerson alice(world, create("alice"));
  EXPECT_TRUE((*alice).check("caf\u00e9\ttea\n").has_value());
  EXPECT_TRUE((*alice).check(std::string(1'100, 'x')).has_value());
  for (const std::string& text : {std::string(), std::string(1'101, 'x'), std::string("caf\xe9"),
                                  std::string("a\x1b[2J"), std::string("\x7f")}) {
    EXPECT_FALSE((*alice).check(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace chatd
