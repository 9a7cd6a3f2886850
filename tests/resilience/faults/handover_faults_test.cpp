// A hand-over in which a call fails, of either process, in every way it can. Either the new chatd
// serves afterwards, or the old one says why not and does: whoever was there goes on talking, and
// the books close over all that was ever said.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/resilience/faults/fault_control.h"
#include "tests/resilience/faults/sweep.h"
#include "tests/resilience/faults/test_client.h"
#include "tests/support/chatd_server.h"
#include "tests/support/ledger.h"
#include "tests/support/wait_until.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

enum class Outcome : std::uint8_t { kHandedOver, kWentOn, kStopped, kNeither };

class HandoverFaults : public testing::TestWithParam<Call> {
 protected:
  // Two who talk before and afterwards.
  class Talk {
   public:
    explicit Talk(ChatdServer& server) : server_(server) {
      EXPECT_EQ(alice_.enter(kCreateRoom, server, "room", kPatience), Entry::kDone);
      EXPECT_EQ(bob_.enter(kJoinRoom, server, "room", kPatience), Entry::kDone);
    }
    void go_on(const std::string& text) {
      const std::string first = alice_.say(server_, text);
      EXPECT_TRUE(wait_until([&] { return bob_.has_heard(first); })) << server_.diagnosis();
      const std::string second = bob_.say(server_, text);
      EXPECT_TRUE(wait_until([&] { return alice_.has_heard(second); })) << server_.diagnosis();
    }

   private:
    ChatdServer& server_;
    TestClient alice_{"alice"};
    TestClient bob_{"bob"};
  };

  // How it ended. The first process stays, and passes on what it is told.
  static Outcome hand_over(ChatdServer& server) {
    server.process().kill(SIGUSR1);
    while (const auto line = server.process().read_line(Stream::kStderr)) {
      // It has not: both would serve.
      EXPECT_EQ(line->find("has ended before its time"), std::string::npos) << *line;
      static const std::string kDone = "handed over to process ";
      const std::size_t at = line->find(kDone);
      if (at != std::string::npos) {
        return server.running() ? Outcome::kHandedOver : Outcome::kNeither;
      }
      if (line->find("; this one goes on") != std::string::npos) return Outcome::kWentOn;
      if (line->find("info stopped") != std::string::npos) return Outcome::kStopped;
    }
    return Outcome::kNeither;
  }

  std::uint32_t calls_made() {
    FaultControl faults;
    ChatdServer server({"--tls-port", "off"}, faults.process_options());
    EXPECT_TRUE(server.ready()) << server.diagnosis();
    faults.count();
    EXPECT_EQ(hand_over(server), Outcome::kHandedOver) << server.diagnosis();
    faults.pause();
    return faults.made(GetParam());
  }

  void try_with(const Fault& fault) {
    FaultControl faults;
    ChatdServer server({"--tls-port", "off"}, faults.process_options());
    ASSERT_TRUE(server.ready()) << server.diagnosis();
    Talk talk(server);
    talk.go_on("before");
    faults.arm(fault);
    const Outcome outcome = hand_over(server);
    faults.pause();
    ++counts_[static_cast<std::size_t>(outcome)];
    ASSERT_NE(outcome, Outcome::kNeither) << server.diagnosis();
    // An order that cannot be read is taken for a stop (server/lifecycle/signals.h).
    if (outcome == Outcome::kStopped) {
      EXPECT_EQ(fault.call, Call::kRead);
      return;
    }
    talk.go_on("afterwards");
    std::uint64_t said = 4;
    // What failed once has left nothing behind that is in the way of another try.
    if (outcome == Outcome::kWentOn) {
      ASSERT_EQ(hand_over(server), Outcome::kHandedOver) << server.diagnosis();
      talk.go_on("at last");
      said += 2;
    }
    const auto& counters = server.stop();
    ASSERT_TRUE(counters) << server.diagnosis();
    expect_closed_ledger(*counters);
    EXPECT_EQ((*counters)["messages_accepted"], said) << counters->to_string();
    EXPECT_EQ((*counters)["deliveries_sent"], said) << counters->to_string();
  }

  std::array<int, 4> counts_{};
};

TEST_P(HandoverFaults, LeaveOneOfTheTwoServing) {
  const std::uint32_t made = calls_made();
  ASSERT_FALSE(HasFailure());
  ASSERT_GT(made, 0U) << "a hand-over takes no " << faults_of(GetParam()).name;
  const Sweep sweep(GetParam(), made, SweepFor::kHandover);
  for (const Fault& fault : sweep.faults()) {
    SCOPED_TRACE(fault.to_string());
    try_with(fault);
    if (HasFailure()) return;
  }
  std::printf(
      "faults: handover %s calls=%u cases=%zu reached=%d handed_over=%d went_on=%d ended=%d\n",
      faults_of(GetParam()).name, made, sweep.faults().size(), counts_[0] + counts_[1] + counts_[2],
      counts_[0], counts_[1], counts_[2]);
}

INSTANTIATE_TEST_SUITE_P(All, HandoverFaults, testing::ValuesIn(calls_of(SweepFor::kHandover)),
                         name_of);

}  // namespace
}  // namespace chatd::test
