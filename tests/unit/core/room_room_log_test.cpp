// The log of a room: entries are kept until every reader has passed them, whoever comes and goes.
#include "core/room/room_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace chatd {
namespace {

NewEntry said(std::string_view text) {
  return {.sender = 1, .entry = {.member = 1, .bytes = text}};
}

TEST(RoomLog, KeepsAnEntryUntilEveryReaderHasPassedIt) {
  MessageStore store(100);
  RoomLog log;
  ASSERT_TRUE(log.append(store, said("a"), 3));
  ASSERT_TRUE(log.append(store, said("b"), 3));
  EXPECT_EQ(log.first(), 1u);
  EXPECT_EQ(log.head(), 3u);
  log.advance(store, 1, 3, 2);
  EXPECT_EQ(log.size(), 2u);
  log.advance(store, 1, 2, 1);
  EXPECT_EQ(log.first(), 2u);
  log.advance(store, 2, 3, 1);
  EXPECT_TRUE(log.is_empty());
  EXPECT_EQ(log.first(), 3u) << "numbers are never used again";
  EXPECT_EQ(store.free_blocks(), 100u);
}

TEST(RoomLog, WhoComesBeginsAtTheHead) {
  MessageStore store(100);
  RoomLog log;
  ASSERT_TRUE(log.append(store, said("before"), 1));
  log.add_reader();
  ASSERT_TRUE(log.append(store, said("after"), 2));
  EXPECT_EQ(store.readers(log.entry(store, 1)), 1u);
  EXPECT_EQ(store.readers(log.entry(store, 2)), 1u);
  log.remove_reader(store, 1);
  EXPECT_EQ(log.first(), 2u) << "nobody is left who has to get the first";
  log.remove_reader(store, 2);
  EXPECT_TRUE(log.is_empty());
}

TEST(RoomLog, WhatGivesWayIsPassedOver) {
  MessageStore store(100);
  RoomLog log;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.append(store, said("x"), 2));
  log.advance(store, 1, 3, 1);
  log.drop_first(store);
  EXPECT_EQ(log.first(), 2u);
  EXPECT_EQ(log.position(1), 2u) << "a cursor from before stands at what is left";
  EXPECT_EQ(store.readers(log.first_entry()), 1u);
}

// Against a list of cursors: whoever comes, goes, reads on or loses something.
TEST(RoomLog, BehavesLikeCursors) {
  std::mt19937 random(12);
  MessageStore store(300);
  RoomLog log;
  std::vector<std::uint64_t> cursors;
  std::uint64_t head = 1;
  for (int step = 0; step < 50'000; ++step) {
    const auto who = cursors.empty() ? 0 : random() % cursors.size();
    switch (random() % 8) {
      case 0:
        if (cursors.size() < 20) {
          cursors.push_back(head);
          log.add_reader();
        }
        break;
      case 1:
        if (cursors.empty()) break;
        log.remove_reader(store, cursors[who]);
        cursors.erase(cursors.begin() + static_cast<std::ptrdiff_t>(who));
        break;
      case 2:
        if (!log.is_empty()) log.drop_first(store);
        break;
      case 3:
      case 4:
        if (cursors.empty()) break;
        if (log.append(store, said(std::string(random() % 400, 'x')),
                       static_cast<std::uint32_t>(cursors.size()))) {
          ++head;
        }
        break;
      default: {
        if (cursors.empty() || log.position(cursors[who]) == head) break;
        const std::uint64_t from = log.position(cursors[who]);
        const std::uint64_t to = from + 1 + random() % (head - from);
        log.advance(store, from, to, 1);
        cursors[who] = to;
      }
    }
    ASSERT_EQ(log.head(), head);
    std::uint64_t least = head;
    for (const std::uint64_t cursor : cursors) least = std::min(least, log.position(cursor));
    ASSERT_EQ(log.first(), least) << "what nobody has to get is not kept, and nothing else goes";
    for (std::uint64_t number = log.first(); number < head; ++number) {
      const auto there = std::count_if(cursors.begin(), cursors.end(), [&](std::uint64_t cursor) {
        return log.position(cursor) == number;
      });
      ASSERT_EQ(store.readers(log.entry(store, number)), there);
    }
  }
}

}  // namespace
}  // namespace chatd
