// Protocol v2's frames: examples from RFC 9000, round trips, and every way to be cut short.
#include "core/wire/v2/frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire/v2/datagram.h"

namespace chatd::v2 {
namespace {

using namespace std::string_view_literals;

template <class Frame>
std::string written(const Frame& frame) {
  std::array<char, 2048> bytes;
  ByteWriter writer(bytes.data());
  write_frame(writer, frame);
  return {bytes.data(), writer.end()};
}

std::string written_varint(std::uint64_t value) {
  std::array<char, kMaxVarintBytes> bytes;
  ByteWriter writer(bytes.data());
  writer.varint(value);
  return {bytes.data(), writer.end()};
}

template <class AnyFrame>
ReadResult read_one(std::string_view bytes, AnyFrame& frame) {
  ByteReader reader(bytes);
  return read_frame(reader, frame);
}

// The frame that `bytes` begin with, which must be whole and of this kind.
template <class Frame, class AnyFrame>
Frame read_whole(std::string_view bytes) {
  AnyFrame frame;
  EXPECT_EQ(read_one(bytes, frame), ReadResult::kFrame);
  const Frame* const wanted = std::get_if<Frame>(&frame);
  EXPECT_NE(wanted, nullptr);
  return wanted != nullptr ? *wanted : Frame{};
}
template <class Frame>
Frame read_client(std::string_view bytes) {
  return read_whole<Frame, ClientFrame>(bytes);
}
template <class Frame>
Frame read_server(std::string_view bytes) {
  return read_whole<Frame, ServerFrame>(bytes);
}

// RFC 9000, appendix A.1.
TEST(Varint, IsThatOfTheRfc) {
  EXPECT_EQ(written_varint(37), "\x25"sv);
  EXPECT_EQ(written_varint(15293), "\x7b\xbd"sv);
  EXPECT_EQ(written_varint(494878333), "\x9d\x7f\x3e\x7d"sv);
  EXPECT_EQ(written_varint(151288809941952652), "\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"sv);
}

TEST(Varint, IsReadAsItWasWrittenAtEveryLength) {
  for (unsigned shift = 0; shift < 62; ++shift) {
    for (const std::uint64_t value : {std::uint64_t{1} << shift, (std::uint64_t{1} << shift) - 1}) {
      const std::string bytes = written_varint(value);
      EXPECT_EQ(bytes.size(), varint_bytes(value));
      ByteReader reader(bytes);
      std::uint64_t read = 1;
      ASSERT_TRUE(reader.varint(read));
      EXPECT_EQ(read, value);
      EXPECT_TRUE(reader.is_empty());
    }
  }
  EXPECT_EQ(written_varint(kMaxVarint).size(), kMaxVarintBytes);
}

TEST(Varint, MayBeLongerThanItNeeds) {
  ByteReader reader("\x40\x25"sv);
  std::uint64_t read = 0;
  ASSERT_TRUE(reader.varint(read));
  EXPECT_EQ(read, 37u);
}

TEST(ByteReader, FailsForGoodAfterTheFirstFailure) {
  ByteReader reader("\x05\x01"sv);
  std::string_view bytes;
  EXPECT_FALSE(reader.sized(bytes));
  std::uint8_t byte = 0;
  EXPECT_FALSE(reader.byte(byte));
}

TEST(ClientFrames, AreReadAsTheyWereWritten) {
  const std::string bytes = written(
      Say{.client_number = 70'000, .content_type = ContentType::kSealed, .bytes = "hi\0there"sv});
  const Say say = read_client<Say>(bytes);
  EXPECT_EQ(say.client_number, 70'000u);
  EXPECT_EQ(say.content_type, ContentType::kSealed);
  EXPECT_EQ(say.bytes, "hi\0there"sv);

  EXPECT_EQ(read_client<PathResponse>(written(PathResponse{0xfedc'ba98'7654'3210u})).data,
            0xfedc'ba98'7654'3210u);
  read_client<Leave>(written(Leave{}));
}

TEST(ClientFrames, HaveKeepsItsRanges) {
  Have have{.log_epoch = 3, .complete = 10, .wanted = 40, .range_count = 2, .ranges = {}};
  have.ranges[0] = {.first = 12, .last = 12};
  have.ranges[1] = {.first = 20, .last = 39};
  const Have read = read_client<Have>(written(have));
  EXPECT_EQ(read.log_epoch, 3u);
  EXPECT_EQ(read.complete, 10u);
  EXPECT_EQ(read.wanted, 40u);
  ASSERT_EQ(read.has().size(), 2u);
  EXPECT_EQ(read.has()[0], have.ranges[0]);
  EXPECT_EQ(read.has()[1], have.ranges[1]);
}

TEST(ClientFrames, HaveWithAllItsRangesFitsWhatIsReserved) {
  Have have{.log_epoch = kMaxVarint,
            .complete = kMaxVarint / 2,
            .wanted = kMaxVarint,
            .range_count = kMaxRanges,
            .ranges = {}};
  std::uint64_t at = have.complete + (std::uint64_t{1} << 50);
  for (Range& range : have.ranges) {
    range = {.first = at, .last = at + (std::uint64_t{1} << 40)};
    at = range.last + (std::uint64_t{1} << 50);
  }
  const std::string bytes = written(have);
  EXPECT_LE(bytes.size(), kMaxHaveBytes);
  EXPECT_EQ(read_client<Have>(bytes).has().back(), have.ranges.back());
}

TEST(ClientFrames, ImpossibleNumbersAreMalformed) {
  const auto result = [](std::string_view bytes) {
    ClientFrame frame;
    return read_one(bytes, frame);
  };
  EXPECT_EQ(result("\x01\x00\x00\x00"sv), ReadResult::kMalformed) << "client number 0";
  EXPECT_EQ(result("\x02\x01\x05\x00\x01\x00\x01"sv), ReadResult::kMalformed) << "nothing missing";
  EXPECT_EQ(result("\x02\x01\x05\x00\x01\x01\x00"sv), ReadResult::kMalformed) << "an empty range";
  EXPECT_EQ(result("\x02\x01\x05\x00\x11"sv), ReadResult::kMalformed) << "17 ranges";
  EXPECT_EQ(result("\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01\x01\x01"sv),
            ReadResult::kMalformed)
      << "beyond the largest number";
}

TEST(ServerFrames, AreReadAsTheyWereWritten) {
  const Head head = read_server<Head>(
      written(Head{.log_epoch = 1, .last = 4711, .oldest = 4456, .have_interval_ms = 1000}));
  EXPECT_EQ(head.last, 4711u);
  EXPECT_EQ(head.oldest, 4456u);
  EXPECT_EQ(head.have_interval_ms, 1000u);

  const Gap gap = read_server<Gap>(written(Gap{.log_epoch = 2, .numbers = {5, 9}}));
  EXPECT_EQ(gap.log_epoch, 2u);
  EXPECT_EQ(gap.numbers, (Range{5, 9}));

  EXPECT_EQ(read_server<Taken>(written(Taken{.client_number = 300})).client_number, 300u);
  const Refused refused = read_server<Refused>(written(
      Refused{.client_number = 9, .reason = RefusalReason::kTooLong, .retry_after_ms = 250}));
  EXPECT_EQ(refused.client_number, 9u);
  EXPECT_EQ(refused.reason, RefusalReason::kTooLong);
  EXPECT_EQ(refused.retry_after_ms, 250u);

  EXPECT_EQ(read_server<PathChallenge>(written(PathChallenge{42})).data, 42u);
  const std::string bytes =
      written(Closed{.reason = CloseReason::kRoomClosed, .text = "the host has left"});
  const Closed closed = read_server<Closed>(bytes);
  EXPECT_EQ(closed.reason, CloseReason::kRoomClosed);
  EXPECT_EQ(closed.text, "the host has left");
}

std::string some_log() {
  const std::vector<Entry> entries{
      {.kind = EntryKind::kJoined, .member = 7, .bytes = "alice"},
      {.kind = EntryKind::kSaid, .member = 70'000, .client_number = 1, .bytes = "hi"}};
  std::array<char, 256> bytes;
  ByteWriter writer(bytes.data());
  write_log_head(writer, 1, 100, entries.size());
  char* end = writer.end();
  for (const Entry& entry : entries) {
    const char* const begin = end;
    end = write_entry_head(entry, end);
    EXPECT_EQ(end - begin, static_cast<std::ptrdiff_t>(entry_head_bytes(entry)));
    end = std::copy(entry.bytes.begin(), entry.bytes.end(), end);
  }
  return {bytes.data(), end};
}

TEST(ServerFrames, LogGivesItsEntries) {
  const std::string bytes = some_log();
  const Log log = read_server<Log>(bytes);
  EXPECT_EQ(log.first, 100u);
  ASSERT_EQ(log.count, 2u);
  ByteReader reader(log.entries);
  Entry entry;
  ASSERT_TRUE(read_entry(reader, entry));
  EXPECT_EQ(entry.kind, EntryKind::kJoined);
  EXPECT_EQ(entry.member, 7u);
  EXPECT_EQ(entry.bytes, "alice");
  ASSERT_TRUE(read_entry(reader, entry));
  EXPECT_EQ(entry.kind, EntryKind::kSaid);
  EXPECT_EQ(entry.member, 70'000u);
  EXPECT_EQ(entry.client_number, 1u);
  EXPECT_EQ(entry.bytes, "hi");
  EXPECT_TRUE(reader.is_empty());
}

TEST(ServerFrames, WhatFollowsALogIsReadAsWell) {
  const std::string bytes = some_log() + std::string(3, '\0') + written(Head{.last = 5});
  ByteReader reader(bytes);
  ServerFrame frame;
  ASSERT_EQ(read_frame(reader, frame), ReadResult::kFrame);
  ASSERT_EQ(read_frame(reader, frame), ReadResult::kFrame);
  EXPECT_EQ(std::get<Head>(frame).last, 5u);
  EXPECT_EQ(read_frame(reader, frame), ReadResult::kEnd);
}

TEST(Frames, CutShortAnywhereAreMalformed) {
  ServerFrame server;
  for (const std::string& whole :
       {some_log(), written(Head{.last = 1000}), written(Gap{.numbers = {1, 2}}),
        written(Refused{}), written(PathChallenge{}), written(Closed{.text = "bye"})}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(read_one(std::string_view(whole).substr(0, size), server), ReadResult::kMalformed);
    }
  }
  ClientFrame client;
  for (const std::string& whole :
       {written(Say{.client_number = 300, .bytes = "hello"}),
        written(Have{.complete = 77'000, .ranges = {}}), written(PathResponse{})}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(read_one(std::string_view(whole).substr(0, size), client), ReadResult::kMalformed);
    }
  }
}

TEST(Frames, AnUnknownTypeEndsTheDatagram) {
  ClientFrame client;
  EXPECT_EQ(read_one("\x10"sv, client), ReadResult::kUnknown) << "LOG is the server's";
  EXPECT_EQ(read_one("\x7f\xff"sv, client), ReadResult::kUnknown);
  ServerFrame server;
  EXPECT_EQ(read_one("\x01"sv, server), ReadResult::kUnknown) << "SAY is the client's";
  EXPECT_EQ(read_one("\x7f"sv, server), ReadResult::kMalformed) << "half a type";
}

TEST(Frames, PaddingIsPassedOver) {
  ClientFrame frame;
  EXPECT_EQ(read_one(""sv, frame), ReadResult::kEnd);
  EXPECT_EQ(read_one("\0\0\0"sv, frame), ReadResult::kEnd);
  EXPECT_EQ(read_one("\0\0\x03"sv, frame), ReadResult::kFrame);
  EXPECT_TRUE(std::holds_alternative<Leave>(frame));
}

TEST(Frames, TheLongestSayFitsABundleBothWays) {
  const std::string text(kMaxSayBytes, 'x');
  EXPECT_LE(kMaxSayHeadBytes + kMaxSayBytes, kMaxBundlePlainBytes);
  EXPECT_LE(kMaxLogHeadBytes + kMaxEntryHeadBytes + kMaxSayBytes, kMaxBundlePlainBytes);
  EXPECT_LE(written(Say{.client_number = kMaxVarint, .bytes = text}).size(),
            kMaxSayHeadBytes + kMaxSayBytes);
}

}  // namespace
}  // namespace chatd::v2
