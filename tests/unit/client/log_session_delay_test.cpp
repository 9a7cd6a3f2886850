// How long messages take on a network that loses some of what it carries, in virtual time: from
// when something is said until a member is told of it, and of all that lies before it.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

constexpr TimeMs kRoundTripMs = 100;
constexpr std::size_t kListeners = 9;

// One member speaks, and the others hear it: what each message took to each of them.
class Talk {
 public:
  Talk(double loss, TimeMs pause_ms, std::uint64_t seed)
      : world_({.delay_ms = kRoundTripMs / 2 - 2, .jitter_ms = 4}, seed), pause_ms_(pause_ms) {
    world_.create("kitchen", "alice");
    for (std::size_t i = 0; i < kListeners; ++i) world_.join("kitchen", "m" + std::to_string(i));
    EXPECT_TRUE(world_.settle()) << world_.why_not_settled();
    world_.run_for(3'000);
    world_.network.loss = loss;
  }

  std::vector<TimeMs> run(std::size_t messages) {
    for (std::size_t i = 0; i < messages; ++i) {
      said_at_ms_.push_back(world_.now_ms);
      world_.say(world_.members.front(), std::to_string(i));
      run_for(pause_ms_);
    }
    for (int i = 0; i < 60 && delays_ms_.size() < messages * kListeners; ++i) run_for(1'000);
    EXPECT_EQ(delays_ms_.size(), messages * kListeners);
    return delays_ms_;
  }

 private:
  void run_for(TimeMs duration_ms) {
    for (const TimeMs end_ms = world_.now_ms + duration_ms; world_.now_ms < end_ms; look()) {
      world_.run_for(1);
    }
  }
  void look() {
    for (SealedMember& member : world_.members) {
      for (const LogEvent& event : member.events) {
        if (event.kind != LogEvent::Kind::kSaid || event.id != 0) continue;
        delays_ms_.push_back(world_.now_ms - said_at_ms_[std::stoul(event.text)]);
      }
      member.events.clear();
    }
  }

  LogWorld world_;
  TimeMs pause_ms_;
  std::vector<TimeMs> said_at_ms_;
  std::vector<TimeMs> delays_ms_;
};

struct Case {
  const char* name;
  double loss;  // each way
  TimeMs pause_ms;
  std::size_t messages;
  TimeMs median_ms;
  TimeMs p99_ms;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class LogSessionDelay : public testing::TestWithParam<Case> {};

// A loss shows by what comes after it, and then takes a question and its answer.
constexpr TimeMs kTwoRoundTrips = 2 * kRoundTripMs + 100;

INSTANTIATE_TEST_SUITE_P(
    All, LogSessionDelay,
    testing::Values(Case{"NoLoss", 0, 25, 200, kRoundTripMs + 5, kRoundTripMs + 10},
                    Case{"Loss1", 0.01, 25, 600, kRoundTripMs + 5, kTwoRoundTrips - 50},
                    Case{"Loss5", 0.05, 25, 600, kRoundTripMs + 10, kTwoRoundTrips + 10},
                    Case{"Loss10", 0.1, 25, 600, kRoundTripMs + 30, kTwoRoundTrips + 150},
                    // Much is said: what may be under way is measured in bytes.
                    Case{"Loss5Fast", 0.05, 10, 600, kRoundTripMs + 10, kTwoRoundTrips + 50},
                    // What comes after it is the server's word where the log ends.
                    Case{"Loss5Slow", 0.05, 1'000, 100, kRoundTripMs + 5, 4 * kRoundTripMs + 50}),
    [](const auto& one) { return one.param.name; });

TEST_P(LogSessionDelay, IsBounded) {
  const Case& wanted = GetParam();
  std::vector<TimeMs> delays_ms;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const std::vector<TimeMs> one = Talk(wanted.loss, wanted.pause_ms, seed).run(wanted.messages);
    delays_ms.insert(delays_ms.end(), one.begin(), one.end());
  }
  std::sort(delays_ms.begin(), delays_ms.end());
  EXPECT_LE(delays_ms[delays_ms.size() / 2], wanted.median_ms);
  EXPECT_LE(delays_ms[delays_ms.size() * 99 / 100], wanted.p99_ms);
}

}  // namespace
}  // namespace chatd
