// TCRP framing: whatever a peer sends, decode_frame says what docs/reference/protocol.md says, and
// what it took apart can be put together again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/wire/v1/frame.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"
#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

using test::Input;

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kSizeOffset = 3;
// No cap and no input comes near this, so larger numbers need not be told apart.
constexpr std::uint64_t kHuge = std::uint64_t{1} << 40;

// From the specification, digit by digit.
std::uint64_t claimed_payload_bytes(std::string_view header) {
  std::uint64_t size = 0;
  for (std::size_t i = kSizeOffset; i < kHeaderBytes; ++i) {
    size = size * 256 + static_cast<std::uint8_t>(header[i]);
    if (size >= kHuge) return kHuge;
  }
  return size;
}

FrameStatus expected_status(std::string_view received, std::size_t cap) {
  if (received.size() < kHeaderBytes) return FrameStatus::kIncomplete;
  const std::uint64_t size =
      kHeaderBytes + static_cast<std::uint8_t>(received[0]) + claimed_payload_bytes(received);
  if (size > cap) return FrameStatus::kTooLarge;
  return received.size() < size ? FrameStatus::kIncomplete : FrameStatus::kComplete;
}

void require_same(const FrameView& a, const FrameView& b) {
  require(a.operation == b.operation && a.state == b.state, "operation and state stay");
  require(a.room == b.room, "the room stays");
  require(a.payload == b.payload, "the payload stays");
}

// `bytes` is one whole frame.
void check_frame(const FrameView& frame, std::string_view bytes, std::size_t cap) {
  require(frame.operation == static_cast<std::uint8_t>(bytes[1]), "byte 1 is the operation");
  require(frame.state == static_cast<std::uint8_t>(bytes[2]), "byte 2 is the state");
  require(frame.room.data() == bytes.data() + kHeaderBytes, "the room follows the header");
  require(frame.payload.data() == frame.room.data() + frame.room.size(), "the payload follows it");
  require(frame.payload.data() + frame.payload.size() == bytes.data() + bytes.size(),
          "the payload ends the frame");

  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 2) {
    require(decode_frame(bytes.substr(0, size), cap).status == FrameStatus::kIncomplete,
            "a frame that is cut short is waited for");
  }

  std::string again;
  append_frame(again, frame.operation, static_cast<FrameState>(frame.state), frame.room,
               frame.payload);
  require(again == bytes, "a frame has one encoding");
  const test::Frame plain{.operation = frame.operation,
                          .state = frame.state,
                          .room = std::string(frame.room),
                          .payload = std::string(frame.payload)};
  require(test::encode(plain) == bytes, "an independent writer agrees");
  const DecodedFrame decoded = decode_frame(again, cap);
  require(decoded.status == FrameStatus::kComplete, "what was encoded is whole");
  require_same(decoded.frame, frame);
}

}  // namespace

void fuzz_frame(std::string_view input) {
  Input decisions(input);
  const std::size_t cap = decisions.two_bytes();
  std::string_view received = decisions.rest();
  for (;;) {
    const DecodedFrame decoded = decode_frame(received, cap);
    require(decoded.status == expected_status(received, cap), "the status is as specified");
    if (decoded.status == FrameStatus::kTooLarge) {
      // 413 is answered with the operation that was asked for.
      require(decoded.frame.operation == static_cast<std::uint8_t>(received[1]),
              "a frame that is too large says what it was");
    }
    if (decoded.status != FrameStatus::kComplete) return;
    require(decoded.size_bytes >= kHeaderBytes && decoded.size_bytes <= cap, "within the cap");
    check_frame(decoded.frame, received.substr(0, decoded.size_bytes), cap);
    received.remove_prefix(decoded.size_bytes);
  }
}

}  // namespace chatd::fuzz
