// Limits against abuse: each holds, is counted and told, and an honest session beside it goes
// on untouched.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/wire/v1/notice.h"
#include "tests/support/notices.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

RelayConfig config_with(const AbuseLimits& abuse) {
  RelayConfig config;
  config.limits.abuse = abuse;
  return config;
}

class Abuse : public testing::Test {
 protected:
  // Two rooms: in one somebody means harm, in the other two people talk.
  void fill(RelayKit& kit) {
    for (const char* name : {"mallory", "bob", "carol"}) {
      people_.push_back(people_.empty() ? kit.create("noisy", name) : kit.join("noisy", name));
    }
    quiet_ = {kit.create("quiet", "alice"), kit.join("quiet", "dave")};
    kit.take();
  }

  // One message each way, and nothing lost.
  void converse(RelayKit& kit) {
    for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0)}) {
      kit.say(quiet_[static_cast<std::size_t>(from)], "still there?");
      const auto sent = kit.take();
      ASSERT_EQ(sent.size(), 1u);
      EXPECT_EQ(sent[0].to, quiet_[static_cast<std::size_t>(to)].from);
    }
  }

  void expect_the_ledger_closes(const RelayKit& kit, std::uint64_t expected_deliveries) {
    EXPECT_EQ(kit.count(Counter::kDeliveriesPlanned) + kit.count(Counter::kDroppedPendingMember) +
                  kit.count(Counter::kDroppedOverLimit),
              expected_deliveries);
    EXPECT_TRUE(kit.every_datagram_is_accounted_for());
  }

  Person& mallory() { return people_[0]; }

  std::vector<Person> people_;
  std::vector<Person> quiet_;
};

TEST_F(Abuse, AMemberMaySayItsRateAndABurst) {
  RelayKit kit(config_with({.max_member_messages_per_s = 10}));
  fill(kit);
  for (int i = 0; i < 50; ++i) kit.say(mallory());
  EXPECT_EQ(kit.count(Counter::kMessagesAccepted), 50u);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 30u);
  EXPECT_EQ(kit.count(Counter::kDroppedOverLimit), 60u);
  EXPECT_EQ(heard_at(kit.take(), people_[1].from).size(), 20u);
  expect_the_ledger_closes(kit, 50 * 2);

  kit.say(people_[1]);  // the limit is a member's, not its room's
  EXPECT_EQ(kit.take().size(), 2u);
  converse(kit);
  kit.now_ms += 100;
  kit.say(mallory());
  kit.say(mallory());
  EXPECT_EQ(kit.take().size(), 2u);  // one message, to two
}

TEST_F(Abuse, AMemberOverItsRateIsToldSoNowAndThen) {
  RelayKit kit(config_with({.max_member_messages_per_s = 10}));
  fill(kit);
  for (int i = 0; i < 20; ++i) kit.say(mallory());
  kit.take();
  for (int second = 0; second < 11; ++second) {
    for (int i = 0; i < 500; ++i) kit.say(mallory());
    std::vector<std::string> told = heard_at(kit.take(), mallory().from);
    if (second % 5 == 0) {
      ASSERT_EQ(told.size(), 1u) << second;
      EXPECT_EQ(told[0], kTooFastDatagram.substr(2));
    } else {
      EXPECT_TRUE(told.empty()) << second;
    }
    kit.now_ms += 1'000;
  }
  EXPECT_EQ(kit.count(Counter::kOverLimitWarnings), 3u);
}

// A few large messages to many cost as much as many small ones.
TEST_F(Abuse, BytesAreCountedOncePerReceiver) {
  RelayKit kit(config_with({.max_member_bytes_per_s = 10'000}));
  fill(kit);
  const std::string large = message_payload("mallory", std::string(1'000, 'x'));
  const std::uint64_t fit = 20'000 / ((large.size() + 100) * 2);
  for (int i = 0; i < 30; ++i) kit.send(mallory(), large);
  EXPECT_EQ(heard_at(kit.take(), people_[1].from).size(), fit);
  EXPECT_EQ(kit.count(Counter::kDroppedOverLimit), (30 - fit) * 2);
  expect_the_ledger_closes(kit, 30 * 2);
  converse(kit);
}

// However large the room: what exceeds a whole burst goes out now and then, not never.
TEST_F(Abuse, ALargeMessageToALargeRoomIsNotImpossible) {
  RelayKit kit(config_with({.max_member_bytes_per_s = 100}));
  fill(kit);
  const std::string large = message_payload("mallory", std::string(1'000, 'x'));
  kit.send(mallory(), large);
  EXPECT_EQ(kit.take().size(), 2u);
  kit.now_ms += 15'000;
  kit.send(mallory(), large);
  EXPECT_TRUE(heard_at(kit.take(), people_[1].from).empty());
  kit.now_ms += 10'000;
  kit.send(mallory(), large);
  EXPECT_EQ(heard_at(kit.take(), people_[1].from).size(), 1u);
}

TEST_F(Abuse, HeartbeatsAndGoodbyesCostNothing) {
  RelayKit kit(config_with({.max_member_messages_per_s = 1}));
  fill(kit);
  for (int i = 0; i < 100; ++i) kit.beat(people_[1]);
  for (int i = 0; i < 10; ++i) kit.say(people_[1]);
  kit.take();
  kit.leave(people_[1]);
  EXPECT_EQ(kit.count(Counter::kLeaves), 1u);
}

// Reading a hostile payload takes a hundred times as long as a message: so what is refused counts,
// and beyond the rate nobody reads it.
TEST_F(Abuse, WhatIsRefusedCountsLikeAMessage) {
  for (const auto& [reason, payload] :
       {std::pair(Counter::kDroppedWrongSender, message_payload("bob", "hi")),
        std::pair(Counter::kDroppedBadPayload, std::string(3'000, '['))}) {
    people_.clear();
    RelayKit kit(config_with({.max_member_messages_per_s = 10}));
    fill(kit);
    for (int i = 0; i < 50; ++i) kit.send(mallory(), payload);
    EXPECT_EQ(kit.count(reason), 20u);
    EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 30u);
    EXPECT_EQ(heard_at(kit.take(), mallory().from),
              std::vector<std::string>{std::string(kTooFastDatagram.substr(2))});
    kit.say(mallory());
    EXPECT_TRUE(kit.take().empty()) << "it has used up what it may say";
    expect_the_ledger_closes(kit, 31 * 2);
    converse(kit);

    kit.now_ms += 100;
    kit.send(mallory(), payload);
    kit.send(mallory(), payload);
    EXPECT_EQ(kit.count(reason), 21u);
  }
}

// Who has said too much may still go, and is there as long as it says something.
TEST_F(Abuse, BeyondTheRateAMemberCanStillLeaveAndStay) {
  RelayKit kit(config_with({.max_member_messages_per_s = 10}));
  fill(kit);
  const auto say_too_much = [&](const Person& who) {
    for (int i = 0; i < 500; ++i) kit.say(who);
  };
  const TimeMs timeout_ms = kit.relay.limits().idle_timeout_ms;
  say_too_much(mallory());
  kit.send(mallory(), R"({"heartbeat":"7c1b05c3a0d2f6e8"})");
  EXPECT_EQ(kit.count(Counter::kHeartbeatsUnanswered), 1u);
  kit.now_ms += timeout_ms - 1;
  for (const Person& one : people_) say_too_much(one);
  for (const Person& one : quiet_) kit.beat(one);
  kit.now_ms += timeout_ms - 1;
  kit.relay.on_deadline(kit.now_ms, kit.out);
  EXPECT_EQ(kit.count(Counter::kMembersTimedOut), 0u);
  say_too_much(people_[1]);
  kit.leave(people_[1]);
  EXPECT_EQ(kit.count(Counter::kLeaves), 1u);
  EXPECT_TRUE(kit.every_datagram_is_accounted_for());
}

// What looks like a leave is read, beyond the rate as well: so often and no more, and the rate is
// the same in the long run.
TEST_F(Abuse, WhatOnlyLooksLikeALeaveIsReadSoOften) {
  RelayKit kit(config_with({.max_member_messages_per_s = 10}));
  fill(kit);
  const std::string payload = leave_payload("bob");  // who says this is mallory
  for (int i = 0; i < 100; ++i) kit.send(mallory(), payload);
  EXPECT_EQ(kit.count(Counter::kDroppedWrongSender), 40u);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 60u);
  for (int i = 0; i < 100; ++i) {
    kit.now_ms += 100;
    for (int j = 0; j < 10; ++j) kit.send(mallory(), payload);
  }
  EXPECT_EQ(kit.count(Counter::kDroppedWrongSender), 140u);
  // And not at all if it is long.
  for (int i = 0; i < 10; ++i) kit.send(mallory(), payload + std::string(1'024, ' '));
  EXPECT_EQ(kit.count(Counter::kDroppedWrongSender), 140u);
  kit.now_ms += 1'000;
  kit.say(mallory());
  EXPECT_TRUE(heard_at(kit.take(), people_[1].from).empty()) << "its messages wait for all of that";
  kit.now_ms += 1'100;
  kit.say(mallory());
  EXPECT_EQ(heard_at(kit.take(), people_[1].from).size(), 1u);
}

// What the README promises a normal person: nobody types that fast, and no bot needs to.
TEST_F(Abuse, TheDefaultsLetFiveHundredASecondPass) {
  RelayKit kit;
  fill(kit);
  for (int ms = 0; ms < 10'000; ++ms) {
    ++kit.now_ms;
    if (ms % 2 == 0) kit.say(mallory(), std::string(200, 'x'));
    kit.take();
  }
  EXPECT_EQ(kit.count(Counter::kMessagesAccepted), 5'000u);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 0u);
  for (int i = 0; i < 1'000; ++i) kit.say(people_[1]);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 0u);
  kit.say(people_[1]);
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 1u);
}

TEST_F(Abuse, NoneIsNoLimit) {
  RelayKit kit(config_with(AbuseLimits::none()));
  fill(kit);
  for (int i = 0; i < 100'000; ++i) {
    kit.say(mallory());
    if (i % 100 == 0) kit.take();
  }
  EXPECT_EQ(kit.count(Counter::kMessagesOverLimit), 0u);
  expect_the_ledger_closes(kit, 100'000 * 2);
}

class PasswordGuessing : public Abuse {
 protected:
  PasswordGuessing() {
    kit_.create("den", "alice", at("192.0.2.1", 1'000), "secret");
    kit_.create("lair", "alice", at("192.0.2.1", 1'001), "other");
    fill(kit_);
  }

  long guess(std::string_view password, std::string_view from, std::string_view room = "den") {
    const std::string name = "guest" + std::to_string(++guests_);
    return kit_
        .ask(kJoinRoom, room,
             join_payload(
                 {.username = name, .ip = "", .port = 0, .password = std::string(password)}),
             ip(from))
        .status;
  }

  RelayKit kit_{config_with({.max_address_requests_per_s = 0, .max_password_attempts_per_min = 5})};
  int guests_ = 0;
};

TEST_F(PasswordGuessing, EndsAfterAFewWrongOnesEvenWithTheRightOne) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(guess("wrong", "198.51.100.7"), 401);
  EXPECT_EQ(guess("wrong", "198.51.100.7"), 429);
  EXPECT_EQ(guess("secret", "198.51.100.7"), 429);  // or the right one would stand out
  EXPECT_EQ(kit_.count(Counter::kPasswordsWrong), 5u);
  EXPECT_EQ(kit_.count(Counter::kPasswordAttemptsOverLimit), 2u);
  kit_.now_ms += 12'000;
  EXPECT_EQ(guess("secret", "198.51.100.7"), 201);
}

TEST_F(PasswordGuessing, CountsAddressAndRoom) {
  for (int i = 0; i < 6; ++i) guess("wrong", "198.51.100.7");
  EXPECT_EQ(guess("other", "198.51.100.7", "lair"), 201);
  EXPECT_EQ(guess("secret", "198.51.100.8"), 201);
  for (int i = 0; i < 6; ++i) guess("wrong", "2001:db8::1");
  EXPECT_EQ(guess("secret", "2001:db8::2"), 429);  // the same /64
  EXPECT_EQ(guess("secret", "2001:db8:0:1::1"), 201);
  kit_.take();
  converse(kit_);
}

TEST_F(PasswordGuessing, AskingWithoutAPasswordIsNoGuess) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(guess("", "198.51.100.7"), 401);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(guess("secret", "198.51.100.7"), 201);
  EXPECT_EQ(kit_.count(Counter::kPasswordsWrong), 0u);
}

TEST_F(PasswordGuessing, LoopbackIsExempt) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(guess("wrong", "127.0.0.1"), 401);
  EXPECT_EQ(guess("secret", "127.0.0.1"), 201);
}

TEST_F(Abuse, WhoComesAndGoesAllTheTimeIsNotAnnouncedAllTheTime) {
  RelayKit kit(config_with({.max_room_notices_per_s = 2}));
  fill(kit);  // two of the ten notices
  std::size_t heard = 0;
  for (int i = 0; i < 20; ++i) {
    const Person eve = kit.join("noisy", "eve");
    kit.leave(eve);
    heard += heard_at(kit.take(), people_[1].from).size();
  }
  EXPECT_EQ(heard, 8u);
  EXPECT_EQ(kit.count(Counter::kNoticesOverLimit), 32u);
  EXPECT_EQ(kit.count(Counter::kMembersLeft), 20u);
  converse(kit);
  kit.now_ms += 5'000;
  kit.join("noisy", "frank");
  EXPECT_EQ(heard_at(kit.take(), people_[1].from).size(), 1u);
}

// However much has been announced before: a room ends once.
TEST_F(Abuse, ARoomThatEndsTellsEverybodyAllTheSame) {
  RelayKit kit(config_with({.max_room_notices_per_s = 1}));
  const Person host = kit.create("full", "host");
  std::vector<Person> guests;
  for (int i = 0; i < 50; ++i) guests.push_back(kit.join("full", "guest" + std::to_string(i)));
  kit.take();
  kit.leave(host);
  const auto sent = kit.take();
  EXPECT_EQ(sent.size(), 2 * guests.size());
  for (const Person& guest : guests) {
    EXPECT_EQ(heard_at(sent, guest.from),
              (std::vector<std::string>{left_notice(host.name), disconnected_notice(guest.name)}));
  }
}

class Connecting : public testing::Test {
 protected:
  std::uint32_t open_from(const IpAddress& peer, std::uint32_t wanted) {
    std::uint32_t opened = 0;
    for (std::uint32_t i = 0; i < wanted; ++i) {
      if (kit_.relay.open_connection(kit_.now_ms, peer)) ++opened;
    }
    return opened;
  }

  RelayKit kit_{config_with({.max_address_connections = 3, .max_address_requests_per_s = 5})};
};

TEST_F(Connecting, AFewAtATimeFromOneAddress) {
  EXPECT_EQ(open_from(ip("192.0.2.1"), 10), 3u);
  EXPECT_EQ(open_from(ip("192.0.2.2"), 10), 3u);
  kit_.relay.release_connection(ip("192.0.2.1"));
  EXPECT_EQ(open_from(ip("192.0.2.1"), 10), 1u);
  EXPECT_EQ(open_from(ip("2001:db8::1"), 2), 2u);
  EXPECT_EQ(open_from(ip("2001:db8::2"), 2), 1u);  // the same /64
  EXPECT_EQ(open_from(ip("127.0.0.1"), 1'000), 1'000u);
}

TEST_F(Connecting, SoManyPerSecondFromOneAddress) {
  std::uint32_t opened = 0;
  for (int i = 0; i < 100; ++i) {
    if (!kit_.relay.open_connection(kit_.now_ms, ip("192.0.2.1"))) continue;
    ++opened;
    kit_.relay.release_connection(ip("192.0.2.1"));
  }
  EXPECT_EQ(opened, 20u);
  kit_.now_ms += 1'000;
  EXPECT_EQ(open_from(ip("192.0.2.1"), 1), 1u);
  // Requests have a bucket of their own.
  EXPECT_EQ(kit_.ask(kCreateRoom, "lobby", join_payload({.username = "alice", .ip = "", .port = 0}),
                     ip("192.0.2.1"))
                .status,
            201);
}

}  // namespace
}  // namespace chatd
