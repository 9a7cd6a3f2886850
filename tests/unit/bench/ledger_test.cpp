// Each way in which a delivery can go wrong is booked under its name, and the books close.
#include "bench/chatbench/workload/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace chatd::bench {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kGiveUpNs = 100 * kNsPerMs;
constexpr std::uint32_t kBytes = 128;

// Two rooms of four: members 0..3 and 4..7.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { ledger_.begin_measuring(); }

  std::uint32_t send(std::uint32_t sender, std::int64_t at_ns = 0) {
    return ledger_.open(sender, kBytes, at_ns, at_ns);
  }
  Ledger::Booking deliver(std::uint32_t number, std::uint32_t sender, std::uint32_t receiver,
                          std::int64_t at_ns = kNsPerMs) {
    return ledger_.book(receiver, kBytes, {name_word(sender), number}, at_ns);
  }
  void deliver_to_room(std::uint32_t number, std::uint32_t sender) {
    for (std::uint32_t member = sender - sender % 4; member < sender - sender % 4 + 4; ++member) {
      if (member != sender) deliver(number, sender, member);
    }
  }
  std::vector<std::uint32_t> given_up(std::int64_t now_ns) {
    std::vector<std::uint32_t> rooms;
    ledger_.give_up(now_ns, [&rooms](std::uint32_t room) { rooms.push_back(room); });
    return rooms;
  }
  const LedgerCounts& counts() const { return ledger_.counts(); }

  Ledger ledger_{2, 4, kGiveUpNs};
};

TEST_F(LedgerTest, AMessageIsCompleteWithItsLastDelivery) {
  const auto number = send(5, 3 * kNsPerMs);
  EXPECT_FALSE(deliver(number, 5, 4).is_last);
  EXPECT_FALSE(deliver(number, 5, 7).is_last);
  const auto last = deliver(number, 5, 6);
  EXPECT_TRUE(last.is_last);
  EXPECT_TRUE(last.is_measured);
  EXPECT_EQ(last.room, 1u);
  EXPECT_EQ(last.scheduled_ns, 3 * kNsPerMs);
  EXPECT_EQ(counts().sent, 1u);
  EXPECT_EQ(counts().expected, 3u);
  EXPECT_EQ(counts().delivered, 3u);
  EXPECT_EQ(counts().received_bytes, 3u * kBytes);
  EXPECT_EQ(counts().lost(), 0u);
}

TEST_F(LedgerTest, WhatDoesNotComeIsLost) {
  deliver(send(0), 0, 1);
  send(1);
  EXPECT_EQ(counts().lost(), 5u);
  EXPECT_EQ(ledger_.unheard(), 1u);
}

TEST_F(LedgerTest, TheSecondCopyIsADuplicate) {
  const auto number = send(0);
  EXPECT_TRUE(deliver(number, 0, 1).is_delivery);
  EXPECT_FALSE(deliver(number, 0, 1).is_delivery);
  EXPECT_EQ(counts().delivered, 1u);
  EXPECT_EQ(counts().duplicated, 1u);
}

TEST_F(LedgerTest, TheSecondCopyIsADuplicateAlsoWhenTheMessageIsForgotten) {
  const auto number = send(0);
  deliver_to_room(number, 0);
  given_up(2 * kNsPerMs);
  EXPECT_FALSE(deliver(number, 0, 1).is_delivery);
  EXPECT_EQ(counts().delivered, 3u);
  EXPECT_EQ(counts().duplicated, 1u);
}

TEST_F(LedgerTest, ForeignIsWhatIsNotForTheMember) {
  const auto number = send(0);
  EXPECT_FALSE(deliver(number, 0, 4).is_delivery);      // of another room
  EXPECT_FALSE(deliver(number, 0, 0).is_delivery);      // its own
  EXPECT_FALSE(deliver(number + 1, 0, 1).is_delivery);  // not yet sent
  EXPECT_FALSE(deliver(number + 1'000'000, 0, 1).is_delivery);
  EXPECT_EQ(counts().foreign, 4u);
  EXPECT_EQ(counts().delivered, 0u);
}

TEST_F(LedgerTest, CorruptedIsWhatIsNotAsItWasSent) {
  const auto number = send(0);
  EXPECT_FALSE(deliver(number, 2, 1).is_delivery);  // in another's name
  EXPECT_FALSE(ledger_.book(1, kBytes + 1, {name_word(0), number}, kNsPerMs).is_delivery);
  ledger_.book_corrupted();
  EXPECT_EQ(counts().corrupted, 3u);
  EXPECT_EQ(counts().delivered, 0u);
}

TEST_F(LedgerTest, OrderIsPerSender) {
  const auto first = send(0);
  const auto others = send(1);
  const auto second = send(0);
  deliver(second, 0, 2);
  deliver(others, 1, 2);  // earlier, but of somebody else
  EXPECT_EQ(counts().reordered, 0u);
  deliver(first, 0, 2);
  EXPECT_EQ(counts().reordered, 1u);
  deliver(first, 0, 3);  // this member got nothing later
  deliver(second, 0, 3);
  EXPECT_EQ(counts().reordered, 1u);
  EXPECT_EQ(counts().delivered, 5u);
}

TEST_F(LedgerTest, OrderIsSeenAcrossMessagesThatWereLost) {
  const auto first = send(0);
  send(0);
  send(0);
  const auto fourth = send(0);
  deliver(fourth, 0, 2);
  deliver(first, 0, 2);
  EXPECT_EQ(counts().reordered, 1u);
}

TEST_F(LedgerTest, AMessageThatIsGivenUpFreesItsRoomOnce) {
  const auto number = send(4, 0);
  send(0, 50 * kNsPerMs);
  deliver(number, 4, 5);
  EXPECT_TRUE(given_up(kGiveUpNs).empty());
  EXPECT_EQ(given_up(kGiveUpNs + 1), std::vector<std::uint32_t>{1});
  EXPECT_TRUE(given_up(kGiveUpNs + 2).empty());
  // What comes now is late, and completes nothing.
  EXPECT_FALSE(deliver(number, 4, 6, 2 * kGiveUpNs).is_last);
  EXPECT_FALSE(deliver(number, 4, 7, 2 * kGiveUpNs).is_last);
  EXPECT_EQ(counts().late, 2u);
  EXPECT_EQ(counts().delivered, 3u);
}

TEST_F(LedgerTest, ACompleteMessageIsNotGivenUp) {
  deliver_to_room(send(0), 0);
  EXPECT_TRUE(given_up(10 * kGiveUpNs).empty());
}

TEST_F(LedgerTest, LatenessIsForgivenButNotForgotten) {
  const auto number = send(0);
  deliver(number, 0, 1);
  given_up(60'000 * kNsPerMs);  // long after: the record is gone
  EXPECT_EQ(ledger_.unheard(), 0u);
  deliver(number, 0, 2, 60'000 * kNsPerMs);
  deliver(number, 0, 3, 60'000 * kNsPerMs);
  deliver(number, 0, 3, 60'000 * kNsPerMs);  // no delivery is missing any more
  EXPECT_EQ(counts().delivered, 3u);
  EXPECT_EQ(counts().late, 2u);
  EXPECT_EQ(counts().duplicated, 1u);
}

TEST_F(LedgerTest, OnlyMeasuredMessagesCount) {
  const auto measured = send(0);
  ledger_.end_measuring();
  const auto after = send(0);
  EXPECT_TRUE(deliver(measured, 0, 1).is_measured);
  const auto booking = deliver(after, 0, 1);
  EXPECT_TRUE(booking.is_delivery);
  EXPECT_FALSE(booking.is_measured);
  EXPECT_EQ(counts().sent, 1u);
  EXPECT_EQ(counts().delivered, 1u);

  ledger_.begin_measuring();
  const auto again = send(0);
  deliver(measured, 0, 2);
  EXPECT_EQ(counts().delivered, 0u);
  deliver(again, 0, 1);
  EXPECT_EQ(counts().sent, 1u);
  EXPECT_EQ(counts().delivered, 1u);
}

TEST_F(LedgerTest, MoreUnderWayThanTheFirstRecordsHold) {
  std::vector<std::uint32_t> numbers;
  for (int i = 0; i < 5'000; ++i) numbers.push_back(send(i % 2 == 0 ? 0 : 5));
  for (int i = 0; i < 5'000; ++i) {
    deliver_to_room(numbers[static_cast<std::size_t>(i)], i % 2 == 0 ? 0 : 5);
  }
  EXPECT_EQ(counts().delivered, 15'000u);
  EXPECT_EQ(counts().reordered, 0u);
  EXPECT_EQ(counts().lost(), 0u);
}

// Rooms that take several words of bits, many messages, deliveries in a random order, some never
// and some twice: every figure is that of a book kept the simple way.
TEST(Ledger, AgreesWithASimpleBook) {
  constexpr std::uint32_t kMembers = 130;
  constexpr int kMessages = 3'000;
  Ledger ledger(2, kMembers, kGiveUpNs);
  ledger.begin_measuring();
  std::mt19937 random(5);
  struct Sent {
    std::uint32_t number;
    std::uint32_t sender;
    std::uint32_t receiver;
  };
  std::vector<Sent> wire;
  LedgerCounts expected;
  // The highest number that each receiver got, of each sender.
  std::vector<std::vector<std::int64_t>> highest(2 * kMembers,
                                                 std::vector<std::int64_t>(2 * kMembers, -1));
  std::size_t delivered_to = 0;
  const auto deliver_until = [&](std::size_t end) {
    std::shuffle(wire.begin() + static_cast<std::ptrdiff_t>(delivered_to),
                 wire.begin() + static_cast<std::ptrdiff_t>(end), random);
    std::vector<Sent> seen;
    for (; delivered_to < end; ++delivered_to) {
      const Sent& one = wire[delivered_to];
      if (random() % 100 == 0) continue;  // lost
      const auto booking =
          ledger.book(one.receiver, kBytes, {name_word(one.sender), one.number}, 0);
      EXPECT_TRUE(booking.is_delivery);
      std::int64_t& latest = highest[one.receiver][one.sender];
      expected.reordered += latest > one.number ? 1 : 0;
      latest = std::max<std::int64_t>(latest, one.number);
      ++expected.delivered;
      if (random() % 50 == 0) {
        EXPECT_FALSE(
            ledger.book(one.receiver, kBytes, {name_word(one.sender), one.number}, 0).is_delivery);
        ++expected.duplicated;
      }
    }
  };
  for (int i = 0; i < kMessages; ++i) {
    const auto sender =
        static_cast<std::uint32_t>(random() % 6 < 3 ? random() % 3 : kMembers + random() % 3);
    const std::uint32_t number = ledger.open(sender, kBytes, 0, 0);
    const std::uint32_t first = sender / kMembers * kMembers;
    for (std::uint32_t m = first; m < first + kMembers; ++m) {
      if (m != sender) wire.push_back({number, sender, m});
    }
    if (i % 20 == 19) deliver_until(wire.size());
  }
  deliver_until(wire.size());
  EXPECT_GT(expected.reordered, 1'000u);
  EXPECT_EQ(ledger.counts().sent, static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(ledger.counts().expected, wire.size());
  EXPECT_EQ(ledger.counts().delivered, expected.delivered);
  EXPECT_EQ(ledger.counts().duplicated, expected.duplicated);
  EXPECT_EQ(ledger.counts().reordered, expected.reordered);
  EXPECT_EQ(ledger.counts().foreign, 0u);
  EXPECT_EQ(ledger.counts().corrupted, 0u);
}

// A server that answers nothing must not cost chatbench its memory.
TEST(Ledger, MemoryIsBoundedWhenNothingComesBack) {
  Ledger ledger(1, 1'000, kGiveUpNs);
  ledger.begin_measuring();
  for (int i = 0; i < 4'000'000; ++i) ledger.open(0, kBytes, 0, 0);
  EXPECT_LE(ledger.record_bytes(), std::size_t{256} * 1024 * 1024);
  EXPECT_EQ(ledger.counts().lost(), 4'000'000ull * 999);
  EXPECT_EQ(ledger.unheard(), 4'000'000u);
}

}  // namespace
}  // namespace chatd::bench
