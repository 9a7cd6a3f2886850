// Lines that lose, repeat, reorder and delay datagrams. chatd adds nothing to it: what its members
// miss or hear twice is, to the last datagram, what the lines have lost or repeated.
#include <algorithm>
#include <map>
#include <set>

#include "tests/integration/networks/tun_network_test.h"

namespace chatd::test {
namespace {

constexpr int kFaultyMessages = 150;

class LineFaults : public CloudTest, public testing::WithParamInterface<Family> {};

INSTANTIATE_TEST_SUITE_P(Both, LineFaults, testing::Values(Family::k4, Family::k6), family_name);

std::size_t from(const std::string& sender, const Messages& messages) {
  return static_cast<std::size_t>(std::count_if(
      messages.begin(), messages.end(), [&](const Message& each) { return each.first == sender; }));
}

TEST_P(LineFaults, NoneAtAll) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  const Outcome outcome = converse(kFaultyMessages);
  for (const Messages& heard : outcome.heard) {
    EXPECT_EQ(heard.size(), (kMembers - 1) * kFaultyMessages);
    EXPECT_TRUE(are_in_order(heard));
  }
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

TEST_P(LineFaults, WhatIsMissingIsWhatTheLinesLost) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  set_faults(Way::kFromHost, {.loss = 0.1});
  set_faults(Way::kToHost, {.loss = 0.1});
  const Outcome outcome = converse(kFaultyMessages);
  for (std::size_t listener = 0; listener < kMembers; ++listener) {
    const Messages& heard = outcome.heard[listener];
    EXPECT_GT(outcome.from[listener].lost, 0U);
    EXPECT_GT(outcome.to[listener].lost, 0U);
    std::uint64_t missing = outcome.to[listener].lost;
    for (std::size_t sender = 0; sender < kMembers; ++sender) {
      if (sender != listener) missing += outcome.from[sender].lost;
    }
    EXPECT_EQ(heard.size() + missing, (kMembers - 1) * kFaultyMessages);
    EXPECT_TRUE(are_in_order(heard));
    EXPECT_EQ(repeats(heard), 0U);
  }
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

// chatd does not know that two datagrams are one message: what comes twice is relayed twice, to
// everybody alike.
TEST_P(LineFaults, WhatComesTwiceIsRelayedTwice) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  set_faults(Way::kFromHost, {.duplication = 0.2});
  const Outcome outcome = converse(kFaultyMessages);
  for (std::size_t sender = 0; sender < kMembers; ++sender) {
    EXPECT_GT(outcome.from[sender].duplicated, 0U);
    for (std::size_t listener = 0; listener < kMembers; ++listener) {
      if (listener == sender) continue;
      EXPECT_EQ(from(room()[sender].name(), outcome.heard[listener]),
                kFaultyMessages + outcome.from[sender].duplicated);
    }
  }
  // m0 and m1 have heard the same of m2.
  const auto of_m2 = [](Messages messages) {
    std::erase_if(messages, [](const Message& each) { return each.first != "m2"; });
    return messages;
  };
  EXPECT_EQ(of_m2(outcome.heard[0]), of_m2(outcome.heard[1]));
}

TEST_P(LineFaults, WhatIsHeardTwiceIsWhatTheLinesRepeated) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  set_faults(Way::kToHost, {.duplication = 0.2});
  const Outcome outcome = converse(kFaultyMessages);
  for (std::size_t listener = 0; listener < kMembers; ++listener) {
    EXPECT_GT(outcome.to[listener].duplicated, 0U);
    EXPECT_EQ(repeats(outcome.heard[listener]), outcome.to[listener].duplicated);
    EXPECT_EQ(outcome.heard[listener].size() - repeats(outcome.heard[listener]),
              (kMembers - 1) * kFaultyMessages);
  }
}

TEST_P(LineFaults, WhatIsReorderedIsAllThereOnce) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  set_faults(Way::kFromHost, {.reordering = 0.2});
  set_faults(Way::kToHost, {.reordering = 0.2});
  const Outcome outcome = converse(kFaultyMessages);
  for (std::size_t listener = 0; listener < kMembers; ++listener) {
    EXPECT_GT(outcome.from[listener].overtaken, 0U);
    EXPECT_GT(outcome.to[listener].overtaken, 0U);
    const Messages& heard = outcome.heard[listener];
    EXPECT_EQ(heard.size(), (kMembers - 1) * kFaultyMessages);
    EXPECT_EQ(repeats(heard), 0U);
    EXPECT_FALSE(are_in_order(heard)) << "nothing was reordered";
  }
}

TEST_P(LineFaults, WhatIsReorderedOnOneLineIsReorderedForAllAlike) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  cloud().set(line(0), Way::kFromHost, {.reordering = 0.3});
  const Outcome outcome = converse(kFaultyMessages);
  Messages of_m0;
  for (std::size_t listener = 1; listener < kMembers; ++listener) {
    Messages heard = outcome.heard[listener];
    std::erase_if(heard, [](const Message& each) { return each.first != "m0"; });
    EXPECT_FALSE(are_in_order(heard));
    if (listener == 1) of_m0 = heard;
    EXPECT_EQ(heard, of_m0) << "in the order in which they reached chatd";
  }
}

TEST_P(LineFaults, ADelayCostsTimeAndNothingElse) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  set_faults(Way::kFromHost, {.delay_ms = 40});
  set_faults(Way::kToHost, {.delay_ms = 40});
  const auto began = std::chrono::steady_clock::now();
  const Outcome outcome = converse(kFaultyMessages);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(80));
  for (const Messages& heard : outcome.heard) {
    EXPECT_EQ(heard.size(), (kMembers - 1) * kFaultyMessages);
    EXPECT_TRUE(are_in_order(heard));
  }
}

TEST_P(LineFaults, AllAtOnceAddUp) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  const Faults faults{.loss = 0.05, .duplication = 0.05, .reordering = 0.05, .delay_ms = 5};
  set_faults(Way::kFromHost, faults);
  set_faults(Way::kToHost, faults);
  const Outcome outcome = converse(kFaultyMessages);
  for (std::size_t listener = 0; listener < kMembers; ++listener) {
    std::uint64_t expected = 0;
    for (std::size_t sender = 0; sender < kMembers; ++sender) {
      const Traffic& each = outcome.from[sender];
      if (sender != listener) expected += kFaultyMessages - each.lost + each.duplicated;
    }
    const Traffic& last = outcome.to[listener];
    EXPECT_EQ(outcome.heard[listener].size(), expected - last.lost + last.duplicated);
  }
}

}  // namespace
}  // namespace chatd::test
