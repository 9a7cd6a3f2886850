// Members with protocol v2 and the relay, on a network that does what networks do.
#include "client/lib/log_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::PlainMember;
using test::SealedMember;
using Lines = std::vector<std::string>;

std::vector<std::uint64_t> numbers_from(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST(LogSession, EverybodyHearsTheSameAndTheSenderKnowsIt) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(100);
  world.say(alice, "hi");
  world.say(bob, "hello");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(alice.log(), (Lines{"bob joined", "alice: hi", "bob: hello"}));
  EXPECT_EQ(bob.log(), (Lines{"alice: hi", "bob: hello"}));
  EXPECT_EQ(alice.count(LogEvent::Kind::kDelivered), 1u);
  EXPECT_EQ(bob.count(LogEvent::Kind::kDelivered), 1u);
  EXPECT_EQ(alice.session->stats().said_again, 0u);
  EXPECT_EQ(bob.session->roster().size(), 2u);
}

TEST(LogSession, MembersWithBothProtocolsTalk) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  const PlainMember carol = world.join_v1("kitchen", "carol");
  world.run_for(100);
  world.say(alice, "what \"is\" it?\n");
  ASSERT_TRUE(world.settle());
  world.deliver(carol.from,
                carol.with("kitchen", R"({"sender":"carol","message":"tea","mood":7})"));
  world.run_for(100);
  EXPECT_EQ(world.heard_by_v1[carol.from.port],
            (Lines{R"({"sender":"alice","message":"what \"is\" it?\n"})"}));
  EXPECT_EQ(alice.log(), (Lines{"carol joined", "alice: what \"is\" it?\n",
                                R"(carol: {"sender":"carol","message":"tea","mood":7})"}));
  EXPECT_EQ(alice.events.back().content_type, v2::ContentType::kV1Payload);
}

// Whoever has gone still gets what was said before, and by then its speaker may be gone as well,
// the last one and with it the room.
TEST(LogSession, WhoSpokeAndWentLastIsNamed) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  const PlainMember carol = world.join_v1("kitchen", "carol");
  world.run_for(100);
  ASSERT_NE(alice.session->say(world.now_ms, "bye"), 0u);
  world.deliver(alice.from, alice.session->next_datagram(world.now_ms).value());
  ASSERT_TRUE(world.relay->kick(world.now_ms, "kitchen", "carol", world.out));
  ASSERT_TRUE(world.relay->kick(world.now_ms, "kitchen", "alice", world.out));
  world.run_for(100);
  ASSERT_EQ(world.heard_by_v1[carol.from.port].size(), 2u);  // and that it is out
  EXPECT_EQ(world.heard_by_v1[carol.from.port].front(), R"({"sender":"alice","message":"bye"})");
}

// Nothing is put into the outbox for them (LogWorld looks).
TEST(LogSession, WhatOnlyMembersWithProtocolTwoUnderstandIsNotForOthers) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  const PlainMember carol = world.join_v1("kitchen", "carol");
  world.run_for(100);
  alice.session->say(world.now_ms, "secret", v2::ContentType::kSealed);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(alice.log().back(), "alice: secret");
  EXPECT_TRUE(world.heard_by_v1[carol.from.port].empty());
  EXPECT_EQ(world.count(Counter::kDroppedNotForV1), 1u);
}

struct Weather {
  double loss;
  double duplicates;
  TimeMs jitter_ms;
};

class LogSessionInWeather : public testing::TestWithParam<std::tuple<Weather, std::uint64_t>> {};

Lines last_300(const SealedMember& member) {
  Lines log = member.log();
  if (log.size() > 300) log.erase(log.begin(), log.end() - 300);
  return log;
}

// What the whole protocol is for: once, in one order, complete.
TEST_P(LogSessionInWeather, EverythingArrivesOnceAndInOneOrder) {
  const auto& [weather, seed] = GetParam();
  LogWorld world({.loss = weather.loss,
                  .duplicates = weather.duplicates,
                  .delay_ms = 20,
                  .jitter_ms = weather.jitter_ms},
                 seed);
  world.create("kitchen", "m0");
  for (int i = 1; i < 6; ++i) world.join("kitchen", "m" + std::to_string(i));
  world.run_for(2'000);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    world.say(world.members[random() % 6], "message " + std::to_string(i));
    if (random() % 3 == 0) world.run_for(random() % 100);
    if (i == 100 || i == 200) world.hand_over();
  }
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  const auto log = world.members[0].log();
  const std::size_t said = 300 + 5;
  ASSERT_EQ(log.size(), said);
  for (const SealedMember& member : world.members) {
    const auto numbers = member.numbers();
    EXPECT_EQ(numbers, numbers_from(numbers.front(), numbers.back()));
    EXPECT_TRUE(last_300(member) == last_300(world.members[0]));
    EXPECT_EQ(member.count(LogEvent::Kind::kGap), 0u);
    EXPECT_EQ(member.count(LogEvent::Kind::kUnknown), 0u);
  }
  for (int i = 0; i < 300; ++i) {
    const std::string text = "message " + std::to_string(i);
    EXPECT_EQ(std::count_if(
                  log.begin(), log.end(),
                  [&](const std::string& line) { return line.substr(line.find(' ') + 1) == text; }),
              1)
        << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Weathers, LogSessionInWeather,
                         testing::Combine(testing::Values(Weather{0, 0, 0}, Weather{0.05, 0, 0},
                                                          Weather{0, 0.3, 60},
                                                          Weather{0.29, 0.1, 60}),
                                          testing::Values(1u, 2u, 3u, 4u, 5u)));

TEST(LogSession, ALateMemberReadsWhatTheRoomsMakerAllows) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice", /*history=*/3);
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(100);
  for (int i = 0; i < 5; ++i) world.say(alice, "m" + std::to_string(i));
  world.say(bob, "bye");
  ASSERT_TRUE(world.settle());
  bob.session->leave();
  world.run_for(100);
  EXPECT_TRUE(bob.session->is_over());
  SealedMember& carol = world.join("kitchen", "carol");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(carol.log(), (Lines{"alice: m4", "bob: bye", "bob left"}))
      << "the name of who has gone comes from the log";
  EXPECT_EQ(carol.count(LogEvent::Kind::kCaughtUp), 1u);
  EXPECT_TRUE(carol.events.front().is_history);
  EXPECT_EQ(carol.session->roster().size(), 2u);
}

TEST(LogSession, ARoomWithoutHistoryTellsNothingOfThePast) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  world.say(alice, "secret");
  ASSERT_TRUE(world.settle());
  SealedMember& carol = world.join("kitchen", "carol");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(carol.log(), Lines{});
  // Nor to one who asks all the same.
  auto info =
      world.ask({.room = "kitchen", .username = "eve", .protocol = 2}, world.next_endpoint());
  ASSERT_TRUE(info && info->session);
  info->session->oldest_entry = 1;
  SealedMember& eve = world.members.emplace_back();
  eve.from = world.next_endpoint();
  eve.session = std::make_unique<client::LogSession>(*info->session, client::LogSessionOptions{},
                                                     world.now_ms);
  world.run_for(2'000);
  EXPECT_EQ(eve.log(), Lines{});
  EXPECT_EQ(eve.count(LogEvent::Kind::kGap), 1u);
}

TEST(LogSession, ARoomThatIsThereFollowsANewLimitOfHistory) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice", 1'000);
  for (int i = 0; i < 50; ++i) world.say(alice, "m" + std::to_string(i));
  ASSERT_TRUE(world.settle());
  const auto kept = [&] {
    return world.relay->roster().rooms()[world.relay->roster().oldest_room()].log.kept();
  };
  EXPECT_EQ(kept(), 50u);
  Limits limits = world.relay->limits();
  limits.history_entries = 10;
  world.relay->set_limits(limits);
  EXPECT_EQ(kept(), 10u);
  limits.history_entries = 20;
  world.relay->set_limits(limits);
  for (int i = 0; i < 50; ++i) world.say(alice, "m" + std::to_string(i));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(kept(), 20u);
}

// Keeping little of the past is no reason to lose what has just been said.
TEST(LogSession, WhatWaitsForMembersIsKeptHoweverLittleIsKeptOfThePast) {
  RelayConfig config = LogWorld::config_that_keeps(1);
  config.limits.history_bytes = 4096;
  LogWorld world({}, 1, config);
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  for (int i = 0; i < 60; ++i) alice.session->say(world.now_ms, std::string(500, 'x'));
  ASSERT_TRUE(world.settle()) << world.why_not_settled();
  EXPECT_EQ(bob.count(LogEvent::Kind::kSaid), 60u);
  EXPECT_EQ(bob.count(LogEvent::Kind::kGap), 0u);
  const Room& room = world.relay->roster().rooms()[world.relay->roster().oldest_room()];
  EXPECT_EQ(room.log.kept(), 1u) << "afterwards it is as the limit says";
}

TEST(LogSession, ALongHistoryComesInParts) {
  LogWorld world({.delay_ms = 50});
  SealedMember& alice = world.create("kitchen", "alice", /*history=*/1000);
  for (int i = 0; i < 800; ++i) world.say(alice, std::string(100, 'x') + std::to_string(i));
  ASSERT_TRUE(world.settle());
  const TimeMs began_ms = world.now_ms;
  SealedMember& carol = world.join("kitchen", "carol");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(carol.log().size(), 800u);
  EXPECT_LT(world.now_ms - began_ms, 5'000u);
}

TEST(LogSession, WhatTheRoomCannotKeepIsToldAsAGap) {
  LogWorld world({}, 1, LogWorld::config_that_keeps(50));
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  ASSERT_TRUE(world.settle());
  world.run_for(2'000);
  const Endpoint reachable = bob.from;
  bob.from = world.next_endpoint();  // what goes to bob is lost
  for (int i = 0; i < 120; ++i) {
    world.say(alice, "m" + std::to_string(i));
    world.run_for(5);
  }
  world.run_for(200);
  bob.from = reachable;
  world.say(alice, "last");
  ASSERT_TRUE(world.settle());
  ASSERT_EQ(bob.count(LogEvent::Kind::kGap), 1u);
  const auto gap = std::find_if(bob.events.begin(), bob.events.end(), [](const LogEvent& event) {
    return event.kind == LogEvent::Kind::kGap;
  });
  EXPECT_EQ(bob.session->stats().entries_lost, gap->last_number - gap->number + 1);
  EXPECT_EQ(bob.log().size() + bob.session->stats().entries_lost, 121u);
  EXPECT_EQ(bob.log().back(), "alice: last");
  EXPECT_EQ(alice.count(LogEvent::Kind::kGap), 0u);
}

// Whoever sees the path may send again what it has seen, or something else.
TEST(LogSession, WhatDoesNotOpenChangesNothing) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  world.join("kitchen", "bob");
  world.run_for(500);
  world.say(alice, "hi");
  ASSERT_TRUE(world.settle());
  world.run_for(10'000);
  const std::vector<std::string> seen = world.to_relay;
  const auto accepted = world.count(Counter::kMessagesAccepted);
  const auto opened = world.count(Counter::kSealedDatagrams);
  for (const std::string& datagram : seen) world.deliver(alice.from, datagram);
  EXPECT_EQ(world.count(Counter::kDroppedReplayed), seen.size());
  std::uint64_t forged = 0;
  for (std::string datagram : seen) {
    for (const std::size_t at : {std::size_t{17}, std::size_t{18}, datagram.size() - 1}) {
      std::string other = datagram;
      other[16] = static_cast<char>(other[16] ^ 0x10);  // a number that is new
      other[at] = static_cast<char>(other[at] ^ 1);
      world.deliver(alice.from, other);
      ++forged;
    }
  }
  EXPECT_EQ(world.count(Counter::kDroppedNotOpened), forged);
  EXPECT_EQ(world.count(Counter::kSealedDatagrams), opened);
  EXPECT_EQ(world.count(Counter::kMessagesAccepted), accepted);
  EXPECT_TRUE(world.out.is_empty()) << "nothing is answered";
  EXPECT_FALSE(world.relay->has_waiting());
}

TEST(LogSession, WhoSaysTooMuchIsToldAndMaySayItLater) {
  RelayConfig config = LogWorld::config();
  config.limits.abuse.max_member_messages_per_s = 5;  // bursts of ten
  LogWorld world({}, 1, config);
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  for (int i = 0; i < 30; ++i) world.say(alice, "m" + std::to_string(i));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(alice.count(LogEvent::Kind::kDelivered) + alice.count(LogEvent::Kind::kRefused), 30u);
  EXPECT_GE(alice.count(LogEvent::Kind::kRefused), 10u);
  EXPECT_EQ(bob.log().size(), alice.count(LogEvent::Kind::kDelivered));
  world.run_for(5'000);
  world.say(alice, "later");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(bob.log().back(), "alice: later");
}

// A store that is full takes nothing: its sender is told, and the others that a number is gone.
TEST(LogSession, WhatFindsNoMemoryIsRefusedAndToldAsAGap) {
  RelayConfig config = LogWorld::config();
  config.message_store_blocks = 4;
  LogWorld world({}, 1, config);
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  world.say(alice, std::string(v2::kMaxSayBytes, 'x'));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(alice.count(LogEvent::Kind::kRefused), 1u);
  EXPECT_EQ(alice.events.back().kind, LogEvent::Kind::kGap);
  EXPECT_EQ(bob.events.back().kind, LogEvent::Kind::kGap);
  world.say(alice, "less");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(bob.log().back(), "alice: less");
}

// However long ago the entry before was said, and however seldom members are still told of that.
TEST(LogSession, ALostEntryAfterALongSilenceIsNoticedAsSoonAsAnother) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(10'000);
  world.network.loss = 1;
  world.deliver(alice.from, [&] {
    alice.session->say(world.now_ms, "one");
    return *alice.session->next_datagram(world.now_ms);
  }());
  world.run_for(1'000);  // it would be told again after 1,600
  world.network.loss = 0;
  const Endpoint reachable = std::exchange(bob.from, world.next_endpoint());
  world.say(alice, "two");
  world.run_for(100);
  bob.from = reachable;
  world.run_for(250);
  EXPECT_EQ(bob.log(), (Lines{"alice: one", "alice: two"}));
}

// Deadlines are looked at by what had been read at an earlier moment than that of the last entry.
TEST(LogSession, WhatWasSaidJustNowIsNoSilence) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  world.join("kitchen", "bob");
  world.run_for(10'000);
  const auto heads = world.count(Counter::kHeadsSent);
  world.say(alice, "one");
  world.run_for(10);
  const TimeMs due_ms = world.now_ms + 200;
  world.now_ms = due_ms + 55;
  alice.session->say(world.now_ms, "two");
  world.deliver(alice.from, *alice.session->next_datagram(world.now_ms));
  world.relay->serve_rooms(world.out);
  world.relay->on_deadline(due_ms + 50, world.out);
  EXPECT_EQ(world.count(Counter::kHeadsSent), heads);
}

// As without a hand-over: it is told, and need not ask.
TEST(LogSession, WhatIsGoneIsToldAfterAHandOverToo) {
  LogWorld world({}, 1, LogWorld::config_that_keeps(5));
  SealedMember& alice = world.create("kitchen", "alice");
  world.network.loss = 1;
  SealedMember& bob = world.join("kitchen", "bob");  // nobody knows where it is
  world.network.loss = 0;
  for (int i = 0; i < 10; ++i) {
    world.say(alice, "m" + std::to_string(i));
    world.run_for(20);
  }
  world.hand_over();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.count(Counter::kEntriesLost), 5u);
  EXPECT_EQ(bob.count(LogEvent::Kind::kGap), 1u);
  EXPECT_EQ(bob.session->stats().entries_lost, 5u);
}

TEST(LogSession, WhatHasStillToBeSentOutlivesAHandOverHoweverLittleThePast) {
  LogWorld world({}, 1, LogWorld::config_that_keeps(1));
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  for (const char* text : {"one", "two", "three"}) {
    alice.session->say(world.now_ms, text);
    world.deliver(alice.from, *alice.session->next_datagram(world.now_ms));
  }
  world.hand_over();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(bob.log(), (Lines{"alice: one", "alice: two", "alice: three"}));
  EXPECT_EQ(bob.count(LogEvent::Kind::kGap), 0u);
}

TEST(LogSession, TextThatIsNoneIsRefused) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  world.run_for(100);
  world.say(alice, "\xff");
  world.say(alice, std::string("bell\a"));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(alice.count(LogEvent::Kind::kRefused), 2u);
  EXPECT_EQ(alice.session->say(world.now_ms, std::string(v2::kMaxSayBytes + 1, 'x')), 0u);
  EXPECT_EQ(alice.session->say(world.now_ms, ""), 0u);
}

TEST(LogSession, ProtocolTwoNeedsTls) {
  LogWorld world;
  const auto entry = world.ask(
      {.operation = Operation::kCreate, .room = "kitchen", .username = "alice", .protocol = 2},
      world.next_endpoint(), /*is_encrypted=*/false);
  ASSERT_FALSE(entry.has_value());
  EXPECT_EQ(entry.error().status, 400);
  EXPECT_EQ(entry.error().reason,
            "protocol 2 needs a connection with TLS: this server's is on port 8001");
}

TEST(LogSession, AMemberTakesItsSeatAgain) {
  LogWorld world;
  world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  const v2::MemberId id = bob.session->member();
  SealedMember& again =
      world.add({.room = "kitchen", .username = "bob", .token = bob.token, .protocol = 2},
                world.next_endpoint());
  world.run_for(500);
  EXPECT_EQ(again.session->member(), id);
  EXPECT_EQ(bob.events.back().close_reason, v2::CloseReason::kMoved);
  world.say(again, "here again");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.members[0].log().back(), "bob: here again");
  EXPECT_EQ(again.session->roster().size(), 2u);
}

// An address that nobody has proven gets nothing but a question.
TEST(LogSession, AMemberMovesToAnAddressThatItProves) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  bob.from = test::at("192.0.2.7", 4711);
  world.say(bob, "from elsewhere");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.count(Counter::kPathChallenges), 1u);
  world.say(alice, "I hear you");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(bob.log().back(), "alice: I hear you");
}

}  // namespace
}  // namespace chatd
