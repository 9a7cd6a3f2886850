// TCRP framing: what docs/reference/protocol.md says about frames, at every byte boundary.
#include "core/wire/v1/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/limits.h"

namespace chatd {
namespace {

constexpr std::size_t kCap = 16 * 1024;
constexpr std::size_t kSizeOffset = 3;  // of the 29-byte OperationPayloadSize

std::string frame_bytes(Operation operation, FrameState state, std::string_view room,
                        std::string_view payload) {
  std::string bytes;
  append_frame(bytes, operation, state, room, payload);
  return bytes;
}

// A header alone, whose 29-byte size field has `value` at byte `index` and zeros elsewhere.
std::string header_with_size_byte(std::size_t index, unsigned char value) {
  std::string header(kFrameHeaderBytes, '\0');
  header[1] = 2;
  header[kSizeOffset + index] = static_cast<char>(value);
  return header;
}

TEST(Frame, IsLaidOutAsSpecified) {
  const std::string bytes = frame_bytes(Operation::kJoin, FrameState::kRequest, "lobby", "{}");
  ASSERT_EQ(bytes.size(), 32u + 5u + 2u);
  std::string expected{"\x05\x02\x00", 3};
  expected.append(28, '\0').append("\x02").append("lobby{}");
  EXPECT_EQ(bytes, expected);
}

TEST(Frame, PayloadSizeIsBigEndian) {
  const std::string bytes =
      frame_bytes(Operation::kList, FrameState::kCompleted, "", std::string(0x1234, 'x'));
  EXPECT_EQ(bytes.substr(29, 3), std::string("\x00\x12\x34", 3));
  EXPECT_EQ(bytes.substr(kSizeOffset, 26), std::string(26, '\0'));
}

TEST(Frame, RoundTripsEveryOperationAndState) {
  for (const Operation operation : {Operation::kCreate, Operation::kJoin, Operation::kList}) {
    for (const FrameState state :
         {FrameState::kRequest, FrameState::kAccepted, FrameState::kCompleted}) {
      const std::string bytes = frame_bytes(operation, state, "tea room", R"({"a":1})");
      const DecodedFrame decoded = decode_frame(bytes, kCap);
      ASSERT_EQ(decoded.status, FrameStatus::kComplete);
      EXPECT_EQ(decoded.size_bytes, bytes.size());
      EXPECT_TRUE(decoded.frame.is(operation));
      EXPECT_TRUE(decoded.frame.is(state));
      EXPECT_EQ(decoded.frame.room, "tea room");
      EXPECT_EQ(decoded.frame.payload, R"({"a":1})");
    }
  }
}

TEST(Frame, KeepsOperationsAndStatesThatHaveNoName) {
  std::string bytes;
  append_frame(bytes, std::uint8_t{0xff}, FrameState::kCompleted, "", "");
  bytes[2] = '\x7f';
  const DecodedFrame decoded = decode_frame(bytes, kCap);
  ASSERT_EQ(decoded.status, FrameStatus::kComplete);
  EXPECT_EQ(decoded.frame.operation, 0xff);
  EXPECT_EQ(decoded.frame.state, 0x7f);
  EXPECT_FALSE(decoded.frame.is(Operation::kCreate));
  EXPECT_FALSE(decoded.frame.is(FrameState::kRequest));
}

TEST(Frame, MayHaveNeitherRoomNorPayload) {
  const DecodedFrame decoded = decode_frame(std::string(kFrameHeaderBytes, '\0'), kCap);
  ASSERT_EQ(decoded.status, FrameStatus::kComplete);
  EXPECT_EQ(decoded.size_bytes, kFrameHeaderBytes);
  EXPECT_TRUE(decoded.frame.room.empty());
  EXPECT_TRUE(decoded.frame.payload.empty());
}

TEST(Frame, IsIncompleteAtEveryShorterLength) {
  const std::string bytes = frame_bytes(Operation::kCreate, FrameState::kRequest,
                                        std::string(kMaxNameBytes, 'r'), R"({"username":"alice"})");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const DecodedFrame decoded = decode_frame(std::string_view(bytes).substr(0, length), kCap);
    ASSERT_EQ(decoded.status, FrameStatus::kIncomplete) << "at " << length << " bytes";
    ASSERT_EQ(decoded.size_bytes, 0u);
  }
  EXPECT_EQ(decode_frame(bytes, kCap).status, FrameStatus::kComplete);
}

TEST(Frame, ConsumesOneOfSeveralInABuffer) {
  const std::vector<std::string> payloads = {"{}", "", R"({"b":2})"};
  std::string buffer;
  for (const std::string& payload : payloads) {
    append_frame(buffer, Operation::kList, FrameState::kRequest, "r", payload);
  }
  buffer.append("\x01\x02");  // the start of a fourth

  std::string_view rest = buffer;
  for (const std::string& payload : payloads) {
    const DecodedFrame decoded = decode_frame(rest, kCap);
    ASSERT_EQ(decoded.status, FrameStatus::kComplete);
    EXPECT_EQ(decoded.frame.payload, payload);
    rest.remove_prefix(decoded.size_bytes);
  }
  EXPECT_EQ(decode_frame(rest, kCap).status, FrameStatus::kIncomplete);
  EXPECT_EQ(rest.size(), 2u);
}

TEST(Frame, ViewsPointIntoTheCallersBytes) {
  const std::string bytes = frame_bytes(Operation::kJoin, FrameState::kRequest, "room", "payload");
  const DecodedFrame decoded = decode_frame(bytes, kCap);
  EXPECT_EQ(decoded.frame.room.data(), bytes.data() + kFrameHeaderBytes);
  EXPECT_EQ(decoded.frame.payload.data(), bytes.data() + kFrameHeaderBytes + 4);
}

// The cap is for the whole frame: header, room name and payload.
TEST(Frame, AcceptsTheCapAndNotAByteMore) {
  constexpr std::string_view kRoom = "lobby";
  constexpr std::size_t kFits = kCap - kFrameHeaderBytes - kRoom.size();
  const std::string at_cap =
      frame_bytes(Operation::kJoin, FrameState::kRequest, kRoom, std::string(kFits, 'x'));
  ASSERT_EQ(at_cap.size(), kCap);
  EXPECT_EQ(decode_frame(at_cap, kCap).status, FrameStatus::kComplete);
  EXPECT_EQ(decode_frame(at_cap, kCap - 1).status, FrameStatus::kTooLarge);

  const std::string over =
      frame_bytes(Operation::kJoin, FrameState::kRequest, kRoom, std::string(kFits + 1, 'x'));
  EXPECT_EQ(decode_frame(over, kCap).status, FrameStatus::kTooLarge);
}

TEST(Frame, CapMayBeSmallerThanAHeaderAndARoomName) {
  const std::string bytes = frame_bytes(Operation::kJoin, FrameState::kRequest, "lobby", "");
  EXPECT_EQ(decode_frame(bytes, kFrameHeaderBytes + 5).status, FrameStatus::kComplete);
  EXPECT_EQ(decode_frame(bytes, kFrameHeaderBytes + 4).status, FrameStatus::kTooLarge);
  EXPECT_EQ(decode_frame(bytes, 1).status, FrameStatus::kTooLarge);
  EXPECT_EQ(decode_frame(bytes, 0).status, FrameStatus::kTooLarge);
}

// The answer is due as soon as the header is there: nobody waits for 2^29 bytes.
TEST(Frame, RefusesAClaimedSizeFromTheHeaderAlone) {
  std::string header(kFrameHeaderBytes, '\0');
  header[1] = 2;
  header[28] = '\x20';  // 2^29
  const DecodedFrame decoded = decode_frame(header, kCap);
  ASSERT_EQ(decoded.status, FrameStatus::kTooLarge);
  EXPECT_EQ(decoded.frame.operation, 2);  // the answer names the operation that was asked for
  EXPECT_EQ(decoded.frame.state, 0);
  EXPECT_TRUE(decoded.frame.payload.empty());
  EXPECT_EQ(decoded.size_bytes, 0u);
}

TEST(Frame, ReadsEachOfThe29SizeBytes) {
  for (std::size_t index = 0; index < 29; ++index) {
    const DecodedFrame decoded = decode_frame(header_with_size_byte(index, 1), kCap);
    // The last two bytes can say sizes below 16 KiB; any bit further up is more than the cap.
    const FrameStatus expected = index < 27 ? FrameStatus::kTooLarge : FrameStatus::kIncomplete;
    EXPECT_EQ(decoded.status, expected) << "size byte " << index;
  }
}

TEST(Frame, SizesThatWouldOverflowAreTooLarge) {
  std::string all_set(kFrameHeaderBytes, '\xff');
  EXPECT_EQ(decode_frame(all_set, kCap).status, FrameStatus::kTooLarge);
  // 2^64 - 1, and the values whose sum with header and room name would wrap round to a small one.
  for (const int low : {0xff, 0xe0, 0xdf, 0x00}) {
    std::string header(kFrameHeaderBytes, '\0');
    header[0] = '\x05';
    for (std::size_t i = 24; i < 31; ++i) header[i] = '\xff';
    header[31] = static_cast<char>(low);
    EXPECT_EQ(decode_frame(header, kCap).status, FrameStatus::kTooLarge) << low;
  }
}

}  // namespace
}  // namespace chatd
