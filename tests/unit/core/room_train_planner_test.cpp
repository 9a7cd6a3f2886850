// Trains: what the kernel asks of them, whose order is kept, and how long they get.
#include "core/room/train_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace chatd {
namespace {

using Shapes = std::vector<MessageShape>;

TrainPlan plan(const Shapes& messages, const TrainLimits& limits = {}) {
  TrainPlan result;
  plan_trains(messages, limits, result);
  return result;
}

Shapes same(std::size_t count, std::uint32_t size_bytes, std::uint32_t sender = 1) {
  return Shapes(count, {.sender = sender, .size_bytes = size_bytes});
}

// Every rule of a train, and that each message is in exactly one.
void expect_valid(const Shapes& messages, const TrainLimits& limits, const TrainPlan& result) {
  std::vector<bool> seen(messages.size());
  std::map<std::uint32_t, std::uint8_t> last_of_sender;
  std::uint32_t next = 0;
  for (std::uint32_t t = 0; t < result.train_count; ++t) {
    const TrainPlan::Train& train = result.trains[t];
    ASSERT_EQ(train.first, next) << "trains follow one another";
    ASSERT_GE(train.count, 1u);
    ASSERT_LE(train.count, limits.max_segments);
    next += train.count;
    const std::uint32_t segment_bytes = messages[result.order[train.first]].size_bytes;
    std::uint32_t total_bytes = 0;
    for (std::uint32_t i = train.first; i < next; ++i) {
      const std::uint8_t index = result.order[i];
      const MessageShape& message = messages.at(index);
      ASSERT_FALSE(seen[index]);
      seen[index] = true;
      const auto last = last_of_sender.find(message.sender);
      ASSERT_TRUE(last == last_of_sender.end() || last->second < index) << "a sender's order";
      last_of_sender[message.sender] = index;
      total_bytes += message.size_bytes;
      if (train.count > 1) {
        ASSERT_LE(message.size_bytes, limits.max_segment_bytes);
      }
      if (i + 1 < next) {
        ASSERT_EQ(message.size_bytes, segment_bytes);
      } else {
        ASSERT_LE(message.size_bytes, segment_bytes);
      }
    }
    if (train.count > 1) {
      ASSERT_LE(total_bytes, kMaxTrainBytes);
    }
  }
  ASSERT_EQ(next, messages.size());
}

TEST(TrainPlanner, OneSizeIsOneTrainInTheOrderThatItCame) {
  for (const std::size_t count : {1u, 2u, 16u, 64u}) {
    const TrainPlan result = plan(same(count, 130));
    ASSERT_EQ(result.train_count, 1u);
    EXPECT_EQ(result.trains[0].count, count);
    for (std::uint32_t i = 0; i < count; ++i) EXPECT_EQ(result.order[i], i);
  }
  EXPECT_EQ(plan({}).train_count, 0u);
}

TEST(TrainPlanner, NoTrainIsLongerThanTheKernelTakes) {
  const Shapes large = same(64, 1'400);
  const TrainPlan result = plan(large);
  EXPECT_EQ(result.train_count, 2u);  // 46 × 1,400 bytes are the most below 65,507
  EXPECT_EQ(result.trains[0].count, 46u);
  expect_valid(large, {}, result);

  const TrainLimits ten{.max_segments = 10};
  EXPECT_EQ(plan(same(64, 130), ten).train_count, 7u);
  EXPECT_EQ(plan(same(64, 130), {.max_segments = 1}).train_count, 64u);
}

TEST(TrainPlanner, NothingIsMovedForNothing) {
  const Shapes messages = {{1, 300}, {2, 100}, {3, 200}, {1, 300}, {2, 100}};
  for (const TrainLimits limits :
       {TrainLimits{.max_segments = 1}, TrainLimits{.max_segment_bytes = 50}}) {
    const TrainPlan result = plan(messages, limits);
    EXPECT_EQ(result.train_count, 5u);
    for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(result.order[i], i);
  }
}

TEST(TrainPlanner, WhatExceedsTheMtuTravelsAlone) {
  EXPECT_EQ(plan(same(3, 1'472)).train_count, 1u);
  EXPECT_EQ(plan(same(3, 1'473)).train_count, 3u);
  const Shapes mixed = {{1, 1'473}, {2, 100}, {3, 1'473}, {4, 100}, {5, 100}};
  const TrainPlan result = plan(mixed);
  EXPECT_EQ(result.train_count, 3u);
  expect_valid(mixed, {}, result);
}

TEST(TrainPlanner, MessagesOfDifferentSendersMayBeMovedTogether) {
  Shapes alternating;
  for (std::uint32_t i = 0; i < 20; ++i) alternating.push_back({i, i % 2 == 0 ? 200u : 100u});
  const TrainPlan result = plan(alternating);
  EXPECT_EQ(result.train_count, 2u);
  expect_valid(alternating, {}, result);
}

TEST(TrainPlanner, OneSendersOrderIsKeptAtTheCostOfTrains) {
  const Shapes alternating = {{1, 100}, {1, 200}, {1, 100}, {1, 200}};
  const TrainPlan result = plan(alternating);
  EXPECT_EQ(result.train_count, 3u);  // 100 | 200 100 | 200
  expect_valid(alternating, {}, result);
  const Shapes falling = {{1, 300}, {1, 300}, {1, 200}, {1, 200}, {1, 100}};
  EXPECT_EQ(plan(falling).train_count, 2u);  // 300 300 200 | 200 100
}

TEST(TrainPlanner, AShorterMessageEndsATrain) {
  const Shapes distinct = {{1, 50}, {2, 90}, {3, 30}, {4, 70}};
  const TrainPlan result = plan(distinct);
  EXPECT_EQ(result.train_count, 2u);
  expect_valid(distinct, {}, result);
}

TEST(TrainPlanner, KeepsEveryRuleForRandomMessages) {
  std::mt19937 random(2026);
  for (int round = 0; round < 3'000; ++round) {
    const auto senders = static_cast<std::uint32_t>(1 + random() % 64);
    const auto sizes = static_cast<std::uint32_t>(1 + random() % 20);
    Shapes messages(1 + random() % kMaxPlannedMessages);
    for (MessageShape& message : messages) {
      message = {
          .sender = static_cast<std::uint32_t>(random() % senders),
          .size_bytes = static_cast<std::uint32_t>(3 + random() % sizes * (1 + random() % 200))};
    }
    const TrainLimits limits{
        .max_segments = static_cast<std::uint32_t>(1 + random() % 64),
        .max_segment_bytes = static_cast<std::uint32_t>(100 + random() % 1'400)};
    expect_valid(messages, limits, plan(messages, limits));
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

// Four sizes, as of people who say «ok», a line, a paragraph and a page, from many senders: no more
// than a train for each, with one to spare.
TEST(TrainPlanner, FewSizesMakeFewTrains) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    Shapes messages;
    for (std::uint32_t i = 0; i < 48; ++i) {
      messages.push_back({.sender = i, .size_bytes = 40u << (random() % 4)});
    }
    EXPECT_LE(plan(messages).train_count, 4u);
  }
}

}  // namespace
}  // namespace chatd
