#include "core/wire/v1/frame.h"

#include <limits>

namespace chatd {
namespace {

constexpr std::size_t kPayloadSizeOffset = 3;

std::uint8_t byte_at(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint8_t>(bytes[offset]);
}

// The 29-byte integer, or the largest 64-bit value for all that 64 bits cannot hold.
std::uint64_t read_payload_size(std::string_view header) {
  constexpr std::size_t kLow = kFrameHeaderBytes - sizeof(std::uint64_t);
  for (std::size_t i = kPayloadSizeOffset; i < kLow; ++i) {
    if (header[i] != 0) return std::numeric_limits<std::uint64_t>::max();
  }
  std::uint64_t value = 0;
  for (std::size_t i = kLow; i < kFrameHeaderBytes; ++i) value = value << 8 | byte_at(header, i);
  return value;
}

}  // namespace

DecodedFrame decode_frame(std::string_view received, std::size_t max_frame_bytes) {
  DecodedFrame decoded;
  if (received.size() < kFrameHeaderBytes) return decoded;

  const std::size_t room_bytes = byte_at(received, 0);
  const std::uint64_t payload_bytes = read_payload_size(received);
  const std::size_t before_payload = kFrameHeaderBytes + room_bytes;
  if (before_payload > max_frame_bytes || payload_bytes > max_frame_bytes - before_payload) {
    decoded.status = FrameStatus::kTooLarge;
    decoded.frame.operation = byte_at(received, 1);
    decoded.frame.state = byte_at(received, 2);
    return decoded;
  }

  const std::size_t size_bytes = before_payload + static_cast<std::size_t>(payload_bytes);
  if (received.size() < size_bytes) {
    decoded.whole_bytes = size_bytes;
    return decoded;
  }
  decoded.status = FrameStatus::kComplete;
  decoded.size_bytes = size_bytes;
  decoded.frame.operation = byte_at(received, 1);
  decoded.frame.state = byte_at(received, 2);
  decoded.frame.room = received.substr(kFrameHeaderBytes, room_bytes);
  decoded.frame.payload = received.substr(before_payload, size_bytes - before_payload);
  return decoded;
}

void append_frame_header(std::string& out, std::uint8_t operation, FrameState state,
                         std::size_t room_bytes, std::uint64_t payload_bytes) {
  out.push_back(static_cast<char>(room_bytes));
  out.push_back(static_cast<char>(operation));
  out.push_back(static_cast<char>(state));
  out.append(kFrameHeaderBytes - kPayloadSizeOffset - sizeof(std::uint64_t), '\0');
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(payload_bytes >> shift & 0xff));
  }
}

void append_frame(std::string& out, std::uint8_t operation, FrameState state, std::string_view room,
                  std::string_view payload) {
  append_frame_header(out, operation, state, room.size(), payload.size());
  out.append(room).append(payload);
}

void append_frame(std::string& out, Operation operation, FrameState state, std::string_view room,
                  std::string_view payload) {
  append_frame(out, static_cast<std::uint8_t>(operation), state, room, payload);
}

}  // namespace chatd
