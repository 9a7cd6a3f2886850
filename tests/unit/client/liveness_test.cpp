// Does the server know this member? What is asked when, and what is believed.
#include "client/lib/liveness.h"

#include <gtest/gtest.h>

#include <vector>

namespace chatd::client {
namespace {

using Finding = Liveness::Finding;
using Claim = Liveness::Claim;

constexpr std::int64_t kBeginMs = 1'000'000;
constexpr std::int64_t kIntervalMs = 20'000;
constexpr std::int64_t kIdleTimeoutMs = 300'000;

// A member whose heartbeats the test sends, and answers if it likes.
class Member {
 public:
  explicit Member(std::optional<std::int64_t> idle_timeout_ms = kIdleTimeoutMs)
      : liveness(kIntervalMs, idle_timeout_ms, kBeginMs) {}

  // To the time when a heartbeat is due; what is found then. It is sent.
  Finding beat(bool has_left = true) {
    now_ms = liveness.next_heartbeat_ms();
    const Finding finding = liveness.find(now_ms);
    number = liveness.next_number().value_or(0);
    liveness.on_sent(now_ms);
    liveness.on_heartbeat_sent(now_ms, has_left);
    return finding;
  }
  Finding answer() {
    liveness.on_answer(number);
    return liveness.find(now_ms);
  }
  std::int64_t wait_ms() const { return liveness.next_heartbeat_ms() - now_ms; }

  Liveness liveness;
  std::int64_t now_ms = kBeginMs;
  std::uint64_t number = 0;
};

TEST(Liveness, OneHeartbeatAnIntervalWhileTheyAreAnswered) {
  Member member;
  EXPECT_EQ(member.liveness.next_heartbeat_ms(), kBeginMs);
  for (std::uint64_t number = 1; number < 100; ++number) {
    EXPECT_EQ(member.beat(), Finding::kNone);
    EXPECT_EQ(member.number, number);
    EXPECT_EQ(member.answer(), Finding::kNone);
    EXPECT_EQ(member.wait_ms(), kIntervalMs);
  }
}

TEST(Liveness, HeartbeatsKeepBelowAThirdOfTheTimeout) {
  Member hurried(30'000);
  hurried.beat();
  hurried.answer();
  EXPECT_LT(hurried.wait_ms(), 10'000);
  Member rushed(1);
  rushed.beat();
  rushed.answer();
  EXPECT_EQ(rushed.wait_ms(), 1);
}

TEST(Liveness, AHeartbeatThatIsLostIsSentAgainSoon) {
  Member member;
  member.beat();
  EXPECT_EQ(member.wait_ms(), kProbeIntervalMs);
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_EQ(member.answer(), Finding::kNone);
  EXPECT_EQ(member.wait_ms(), kIntervalMs);
}

TEST(Liveness, ADeadServerIsNoticed) {
  Member member;
  member.beat();
  member.answer();
  const std::int64_t last_answer_ms = member.now_ms;
  Finding finding = Finding::kNone;
  while (finding == Finding::kNone) finding = member.beat();
  EXPECT_EQ(finding, Finding::kUnanswered);
  EXPECT_LE(member.now_ms - last_answer_ms, kIntervalMs + 3 * kProbeIntervalMs);
  // It asks on, less and less often, until the server must have forgotten it.
  int asked = 0;
  while ((finding = member.beat()) == Finding::kNone) ++asked;
  EXPECT_EQ(finding, Finding::kGone);
  EXPECT_GE(member.now_ms - last_answer_ms, kIdleTimeoutMs);
  EXPECT_LE(member.now_ms - last_answer_ms, kIdleTimeoutMs + kIntervalMs);
  EXPECT_LE(asked, 25);
}

// As with ENETUNREACH.
TEST(Liveness, HeartbeatsThatCannotLeaveAreUnanswered) {
  for (const auto timeout_ms : {std::optional<std::int64_t>(kIdleTimeoutMs), {}}) {
    Member member(timeout_ms);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(member.beat(false), Finding::kNone);
    EXPECT_EQ(member.beat(false), Finding::kUnanswered);
    EXPECT_EQ(member.beat(false), Finding::kNone);
    EXPECT_EQ(member.beat(true), Finding::kNone);
    EXPECT_EQ(member.answer(), Finding::kAnswered);
    EXPECT_EQ(member.beat(true), Finding::kNone);
  }
}

TEST(Liveness, AServerThatAnswersAgainIsTold) {
  Member member;
  while (member.beat() != Finding::kUnanswered) {
  }
  EXPECT_EQ(member.answer(), Finding::kAnswered);
  EXPECT_EQ(member.liveness.find(member.now_ms), Finding::kNone);
  EXPECT_EQ(member.wait_ms(), kIntervalMs);
}

TEST(Liveness, OneForgedWordIsNotBelieved) {
  for (const Claim claim : {Claim::kNotKnown, Claim::kRemoved}) {
    Member member;
    member.beat();
    member.answer();
    member.now_ms += 5'000;
    member.liveness.on_claim(member.now_ms, claim);
    EXPECT_EQ(member.liveness.find(member.now_ms), Finding::kNone);
    EXPECT_EQ(member.wait_ms(), 0);  // it asks at once
    EXPECT_EQ(member.beat(), Finding::kNone);
    EXPECT_EQ(member.answer(), Finding::kNone);
    EXPECT_EQ(member.liveness.claim(), Claim::kNone);
    EXPECT_EQ(member.wait_ms(), kIntervalMs);
  }
}

TEST(Liveness, AnAnswerThatWasUnderWayRefutesNothing) {
  Member member;
  member.beat();
  member.liveness.on_claim(member.now_ms, Claim::kRemoved);
  member.answer();
  EXPECT_EQ(member.liveness.claim(), Claim::kRemoved);
}

TEST(Liveness, AFloodOfForgedWordsMakesItAskTwiceASecondAtMost) {
  Member member;
  member.beat();
  member.answer();
  int beats = 0;
  const std::int64_t end_ms = member.now_ms + 10'000;
  for (std::int64_t now_ms = member.now_ms; now_ms < end_ms; ++now_ms) {
    member.liveness.on_claim(now_ms, Claim::kNotKnown);
    if (now_ms < member.liveness.next_heartbeat_ms()) continue;
    EXPECT_EQ(member.beat(), Finding::kNone);
    member.answer();
    ++beats;
  }
  EXPECT_LE(beats, 21);
}

TEST(Liveness, AWordIsBelievedWhenTheServerDoesNotDenyIt) {
  Member member;
  member.beat();
  member.answer();
  member.liveness.on_claim(member.now_ms, Claim::kNotKnown);
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_EQ(member.beat(), Finding::kNotKnown);
  EXPECT_LE(member.now_ms - kBeginMs, 2'000);

  Member removed;
  removed.beat();
  removed.answer();
  removed.liveness.on_claim(removed.now_ms, Claim::kRemoved);
  removed.beat();
  removed.liveness.on_claim(removed.now_ms, Claim::kNotKnown);  // the answer to that
  removed.beat();
  EXPECT_EQ(removed.beat(), Finding::kRemoved);
}

// One that has been told by the server that it is not known, and could not return.
class LostMember : public testing::Test {
 protected:
  void SetUp() override {
    member_.beat();
    member_.answer();
    answered_at_ms_ = member_.now_ms;
    member_.liveness.on_claim(member_.now_ms, Claim::kNotKnown);
    while (member_.beat() != Finding::kNotKnown) {
    }
    wait_ms_ = member_.liveness.on_return_failed(member_.now_ms);
  }
  // What is found next, at the earliest time when something may be; heartbeats go out when due.
  Finding find_next() {
    for (;;) {
      member_.now_ms = member_.liveness.next_deadline_ms();
      const Finding finding = member_.liveness.find(member_.now_ms);
      if (finding != Finding::kNone) return finding;
      EXPECT_EQ(member_.now_ms, member_.liveness.next_heartbeat_ms());
      member_.beat();
    }
  }

  Member member_;
  std::int64_t answered_at_ms_ = 0;
  std::int64_t wait_ms_ = 0;
};

TEST_F(LostMember, TriesToReturnAtGrowingIntervals) {
  EXPECT_TRUE(member_.liveness.is_lost());
  std::vector<std::int64_t> waits_ms;
  std::int64_t tried_at_ms = member_.now_ms;
  Finding finding = find_next();
  for (; finding == Finding::kNotKnown; finding = find_next()) {
    waits_ms.push_back(member_.now_ms - tried_at_ms);
    EXPECT_EQ(waits_ms.back(), wait_ms_);
    tried_at_ms = member_.now_ms;
    wait_ms_ = member_.liveness.on_return_failed(member_.now_ms);
  }
  const std::vector<std::int64_t> expected_ms{1000,  2000,  4000,  8000,  16000, 30000, 30000,
                                              30000, 30000, 30000, 30000, 30000, 30000};
  EXPECT_EQ(waits_ms, expected_ms);
  // No later than its seat is gone, but for a heartbeat.
  EXPECT_EQ(finding, Finding::kGone);
  EXPECT_GE(member_.now_ms - answered_at_ms_, kIdleTimeoutMs);
  EXPECT_LE(member_.now_ms - answered_at_ms_, kIdleTimeoutMs + kIntervalMs);
}

TEST_F(LostMember, ListensToNoWordUntilItIsDue) {
  const std::int64_t due_ms = member_.now_ms + wait_ms_;
  for (std::int64_t now_ms = member_.now_ms; now_ms < due_ms; ++now_ms) {
    if (now_ms >= member_.liveness.next_heartbeat_ms()) member_.beat();
    member_.liveness.on_claim(now_ms, Claim::kNotKnown);
    member_.liveness.on_claim(now_ms, Claim::kRemoved);
    EXPECT_EQ(member_.liveness.find(now_ms), Finding::kNone);
  }
  EXPECT_EQ(member_.liveness.find(due_ms), Finding::kNotKnown);
}

TEST_F(LostMember, ThatIsAnsweredIsNotLost) {
  member_.beat();
  EXPECT_EQ(member_.answer(), Finding::kAnswered);
  EXPECT_FALSE(member_.liveness.is_lost());
  EXPECT_EQ(member_.wait_ms(), kIntervalMs);
  EXPECT_EQ(member_.liveness.next_deadline_ms(), member_.liveness.next_heartbeat_ms());
  // The next time it begins anew.
  member_.liveness.on_claim(member_.now_ms, Claim::kNotKnown);
  while (member_.beat() != Finding::kNotKnown) {
  }
  EXPECT_EQ(member_.liveness.on_return_failed(member_.now_ms), kFirstReturnWaitMs);
}

TEST(Liveness, WhoHasNotListenedConcludesNothing) {
  Member member;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(member.beat(), Finding::kNone);
    member.liveness.on_not_listened(member.now_ms);
  }
}

// A server of before: it answers no heartbeat, and none asks.
TEST(Liveness, AnOlderServersSilenceMeansNothing) {
  Member member(std::nullopt);
  for (int early = 0; early <= kEarlyHeartbeats; ++early) {
    EXPECT_EQ(member.beat(), Finding::kNone);
    EXPECT_EQ(member.number, 0u);
    EXPECT_EQ(member.wait_ms(), early < kEarlyHeartbeats ? kProbeIntervalMs : kIntervalMs);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(member.beat(), Finding::kNone);
}

TEST(Liveness, AnOlderServersWordHasToBeConfirmed) {
  Member member(std::nullopt);
  member.beat();
  member.liveness.on_claim(member.now_ms, Claim::kNotKnown);
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_NE(member.number, 0u);  // long enough to be answered
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_EQ(member.beat(), Finding::kNone);
  EXPECT_EQ(member.liveness.claim(), Claim::kNone);
  EXPECT_EQ(member.number, 0u);

  member.liveness.on_claim(member.now_ms, Claim::kNotKnown);
  member.beat();
  member.liveness.on_claim(member.now_ms, Claim::kNotKnown);
  member.beat();
  EXPECT_EQ(member.beat(), Finding::kNotKnown);
  EXPECT_FALSE(member.liveness.has_been_answered());  // so it has no seats to come back to

  Member removed(std::nullopt);
  removed.beat();
  removed.liveness.on_claim(removed.now_ms, Claim::kRemoved);
  EXPECT_EQ(removed.beat(), Finding::kRemoved);
}

TEST(Liveness, RefusalsInARowMeanThatTheServerIsGone) {
  Member member;
  for (int refusals = 1; refusals < kRefusalsUntilGone; ++refusals) {
    member.beat();
    EXPECT_FALSE(member.liveness.on_unreachable(member.now_ms + 1));
    // Several words about one datagram are one refusal.
    EXPECT_FALSE(member.liveness.on_unreachable(member.now_ms + 1));
    EXPECT_FALSE(member.liveness.on_unreachable(member.now_ms + 1));
    // It asks again soon, not after the whole interval.
    EXPECT_LE(member.wait_ms(), 1 + kProbeIntervalMs);
  }
  member.beat();
  EXPECT_TRUE(member.liveness.on_unreachable(member.now_ms + 1));
}

TEST(Liveness, ADatagramFromTheServerForgivesRefusals) {
  Member member;
  for (int i = 0; i < 10 * kRefusalsUntilGone; ++i) {
    member.liveness.on_sent(kBeginMs + i);
    EXPECT_FALSE(member.liveness.on_unreachable(kBeginMs + i));
    member.liveness.on_received();
  }
}

TEST(Liveness, ASendThatDrawsNoRefusalForgivesRefusals) {
  Member member(std::nullopt);
  for (int i = 0; i < 10; ++i) {
    member.beat();
    EXPECT_FALSE(member.liveness.on_unreachable(member.now_ms + 1));
    member.beat();  // not refused
  }
}

}  // namespace
}  // namespace chatd::client
