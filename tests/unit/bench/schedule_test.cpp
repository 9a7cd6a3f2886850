// When messages are due, and who sends them.
#include "bench/chatbench/workload/distributions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "bench/chatbench/workload/room_windows.h"
#include "bench/chatbench/workload/sender_picker.h"

namespace chatd::bench {
namespace {

std::vector<std::int64_t> times(Arrivals arrivals, double rate, int count, std::uint64_t seed) {
  Schedule schedule(arrivals, rate);
  Random random(seed);
  std::vector<std::int64_t> due;
  for (int i = 0; i < count; ++i) {
    due.push_back(schedule.next_ns());
    schedule.advance(random);
  }
  return due;
}

TEST(Schedule, ConstantTimesDoNotDrift) {
  const auto due = times(Arrivals::kConstant, 3'000, 300'001, 1);
  EXPECT_EQ(due[0], 0);
  EXPECT_EQ(due[1], 333'333);
  EXPECT_EQ(due[3], 1'000'000);
  EXPECT_EQ(due[300'000], 100'000'000'000);
}

// Gaps of an exponential distribution: mean and standard deviation are the same, and a share of
// 1/e is longer than the mean.
TEST(Schedule, PoissonGapsAreExponential) {
  constexpr int kCount = 200'000;
  const auto due = times(Arrivals::kPoisson, 1'000, kCount, 1);
  double sum = 0;
  double squares = 0;
  int longer = 0;
  for (std::size_t i = 1; i < due.size(); ++i) {
    const double gap_ms = static_cast<double>(due[i] - due[i - 1]) / 1e6;
    sum += gap_ms;
    squares += gap_ms * gap_ms;
    longer += gap_ms > 1 ? 1 : 0;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 1, 0.01);
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean), 1, 0.02);
  EXPECT_NEAR(static_cast<double>(longer) / kCount, std::exp(-1), 0.01);
}

TEST(Schedule, CountsWhatIsStillDueWithoutWalkingThere) {
  Schedule schedule(Arrivals::kConstant, 3'000);
  Random random(1);
  EXPECT_EQ(schedule.due_before(1'000'000'000), 3'000u);
  EXPECT_EQ(schedule.due_before(1'000'000'100), 3'001u);
  for (int i = 0; i < 1'000; ++i) schedule.advance(random);
  EXPECT_EQ(schedule.due_before(1'000'000'000), 2'000u);
  EXPECT_EQ(schedule.due_before(1), 0u);
  // An hour of the highest rate there is: at once.
  EXPECT_EQ(Schedule(Arrivals::kPoisson, 100e6).due_before(3'600'000'000'000), 360'000'000'000u);
}

TEST(Schedule, ASeedRepeatsIt) {
  EXPECT_EQ(times(Arrivals::kPoisson, 500, 1000, 42), times(Arrivals::kPoisson, 500, 1000, 42));
  EXPECT_NE(times(Arrivals::kPoisson, 500, 1000, 42), times(Arrivals::kPoisson, 500, 1000, 43));
}

TEST(SenderPicker, RoomsTakeTurnsAndSoDoTheirSenders) {
  SenderPicker senders(3, 10, 2);
  std::vector<std::uint32_t> spoke;
  for (int i = 0; i < 9; ++i) spoke.push_back(senders.next_in_turn());
  EXPECT_EQ(spoke, (std::vector<std::uint32_t>{0, 10, 20, 1, 11, 21, 0, 10, 20}));
}

TEST(SenderPicker, AnyRoomIsAsLikelyAsAnother) {
  SenderPicker senders(4, 10, 10);
  Random random(3);
  std::map<std::uint32_t, int> by_room;
  std::map<std::uint32_t, int> by_member;
  for (int i = 0; i < 40'000; ++i) {
    const std::uint32_t member = senders.next_anywhere(random);
    ++by_room[member / 10];
    ++by_member[member];
  }
  EXPECT_EQ(by_member.size(), 40u);
  for (const auto& [room, count] : by_room) EXPECT_NEAR(count, 10'000, 400) << room;
}

TEST(RoomWindows, AreFilledRoomByRoomAndFreedOneByOne) {
  RoomWindows windows(3, 2);
  std::vector<std::uint32_t> sent;
  while (const auto room = windows.take()) sent.push_back(*room);
  EXPECT_EQ(sent, (std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2}));
  EXPECT_FALSE(windows.has_room());

  windows.release(1);
  windows.release(2);
  EXPECT_EQ(windows.take(), 1u);
  windows.release(1);
  EXPECT_EQ(windows.take(), 2u);
  EXPECT_EQ(windows.take(), 1u);
  EXPECT_EQ(windows.take(), std::nullopt);
}

}  // namespace
}  // namespace chatd::bench
