// TCRP, the control plane's framing over TCP (docs/reference/protocol.md, "Control plane").
//
//   offset  size  field
//   0       1     RoomNameSize
//   1       1     Operation
//   2       1     State
//   3       29    OperationPayloadSize, one big-endian unsigned integer
//   32      …     room name, then payload (one JSON object)
//
// Thread: these are pure functions; views point into the caller's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd {

inline constexpr std::size_t kFrameHeaderBytes = 32;

enum class Operation : std::uint8_t { kCreate = 1, kJoin = 2, kList = 3 };
enum class FrameState : std::uint8_t { kRequest = 0, kAccepted = 1, kCompleted = 2 };

// A whole frame. `operation` and `state` are as they came: a peer may send values that the enums do
// not name.
struct FrameView {
  std::uint8_t operation = 0;
  std::uint8_t state = 0;
  std::string_view room;
  std::string_view payload;

  bool is(Operation wanted) const { return operation == static_cast<std::uint8_t>(wanted); }
  bool is(FrameState wanted) const { return state == static_cast<std::uint8_t>(wanted); }
};

enum class FrameStatus : std::uint8_t {
  kIncomplete,  // more bytes are needed
  kComplete,    // `frame` is whole, `size_bytes` are consumed
  kTooLarge,    // the header claims more than the cap: nothing can be read after it
};

struct DecodedFrame {
  FrameStatus status = FrameStatus::kIncomplete;
  FrameView frame;
  std::size_t size_bytes = 0;
  std::size_t whole_bytes = 0;  // kIncomplete: what it will have; 0 while the header does not say
};

// Looks at the front of what a connection has received so far. A claimed size is only compared with
// the cap (which is for the whole frame, header included) and never allocated from.
DecodedFrame decode_frame(std::string_view received, std::size_t max_frame_bytes);

// Appends one frame to `out`. `room` is at most kMaxNameBytes long.
void append_frame(std::string& out, Operation operation, FrameState state, std::string_view room,
                  std::string_view payload);
// The same, for an answer to an operation that has no name.
void append_frame(std::string& out, std::uint8_t operation, FrameState state, std::string_view room,
                  std::string_view payload);
// Only the header, for a name and a payload of these sizes that follow.
void append_frame_header(std::string& out, std::uint8_t operation, FrameState state,
                         std::size_t room_bytes, std::uint64_t payload_bytes);

}  // namespace chatd
