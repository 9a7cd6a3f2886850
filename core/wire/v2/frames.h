// The frames of protocol v2, which lie one after another in a datagram's sealed part
// (docs/reference/protocol-v2.md, "Frames"). A frame begins with its type, a varint; all numbers
// are varints. A type that is not known ends the datagram, for nobody knows how long such a frame
// is: what stands before it counts.
//
// Thread: pure functions; views point into the caller's bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "core/wire/v2/bytes.h"

namespace chatd::v2 {

enum class FrameType : std::uint8_t {
  kPadding = 0x00,  // one byte
  // From clients.
  kSay = 0x01,
  kHave = 0x02,
  kLeave = 0x03,
  kPathResponse = 0x04,
  // From servers.
  kLog = 0x10,
  kHead = 0x11,
  kGap = 0x12,
  kRefused = 0x13,
  kPathChallenge = 0x14,
  kClosed = 0x15,
  kTaken = 0x16,
};

// A member's number in its room: never used again there, and never 0, which is the server itself.
using MemberId = std::uint32_t;
inline constexpr MemberId kServerId = 0;

enum class ContentType : std::uint8_t {
  kText = 0,       // UTF-8
  kV1Payload = 1,  // what a member with protocol v1 said, or the server to such: JSON
  kSealed = 2,     // bytes that only members with protocol v2 get
};

enum class EntryKind : std::uint8_t {
  kSaid = 1,
  kJoined = 2,  // the bytes are the member's name
  kLeft = 3,    // the same
};

// One entry of a room's log.
struct Entry {
  EntryKind kind = EntryKind::kSaid;  // a reader passes over kinds that it does not know
  MemberId member = kServerId;
  std::uint64_t client_number = 0;  // its sender's own number for it; 0: it has none
  ContentType content_type = ContentType::kText;
  std::string_view bytes;
};

// The bytes before an entry's own.
inline constexpr std::size_t kMaxEntryHeadBytes = 1 + 4 + kMaxVarintBytes + 1 + 4;
std::size_t entry_head_bytes(const Entry& entry);
char* write_entry_head(const Entry& entry, char* to);
// Takes an entry from the front of `reader`.
bool read_entry(ByteReader& reader, Entry& entry);

// --- Frames of clients ---------------------------------------------------------------------------

struct Say {
  std::uint64_t client_number = 0;  // 1, 2, 3 …
  ContentType content_type = ContentType::kText;
  std::string_view bytes;
};

// Numbers first..last.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const Range&) const = default;
};
inline constexpr std::size_t kMaxRanges = 16;

// What a client has of the log, and what it wants to be sent again.
struct Have {
  std::uint64_t log_epoch = 0;
  std::uint64_t complete = 0;  // nothing is missing up to this number
  std::uint64_t wanted = 0;    // send what is missing up to this number; 0: nothing
  std::uint8_t range_count = 0;
  std::array<Range, kMaxRanges> ranges;  // what it has beyond, in ascending order

  std::span<const Range> has() const { return std::span(ranges).first(range_count); }
};

struct Leave {};

struct PathResponse {
  std::uint64_t data = 0;
};

using ClientFrame = std::variant<Say, Have, Leave, PathResponse>;

// --- Frames of servers ---------------------------------------------------------------------------

// Entries with the numbers first, first + 1 …
struct Log {
  std::uint64_t log_epoch = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::string_view entries;  // read them with read_entry(): all are whole
};

struct Head {
  std::uint64_t log_epoch = 0;
  std::uint64_t last = 0;              // the newest entry's number
  std::uint64_t oldest = 0;            // the first that this client can still have
  std::uint64_t have_interval_ms = 0;  // how long a client may wait with HAVE
};

// These will never come.
struct Gap {
  std::uint64_t log_epoch = 0;
  Range numbers;
};

enum class RefusalReason : std::uint8_t {
  kOverLimit = 1,   // its member says more than it may
  kTooLong = 2,     // longer than kMaxSayBytes
  kBadContent = 3,  // not what its content type says, or a type that a client may not send
};

struct Refused {
  std::uint64_t client_number = 0;
  RefusalReason reason = RefusalReason::kOverLimit;
  std::uint64_t retry_after_ms = 0;  // 0: never
};

// A SAY has come again that is an entry already, up to where the log ended when this was written
// (which a HEAD before it says). Who has everything up to there, and no echo, knows that it was
// lost in a gap, and that nothing has to be said again.
struct Taken {
  std::uint64_t client_number = 0;
};

struct PathChallenge {
  std::uint64_t data = 0;
};

enum class CloseReason : std::uint8_t {
  kLeft = 1,        // the client has said LEAVE
  kRemoved = 2,     // an operator, an address that refuses
  kSilent = 3,      // not heard for longer than the idle timeout
  kRoomClosed = 4,  // with everybody
  kMoved = 5,       // its seat is taken by a newer session
};

// For people.
std::string_view text_of(CloseReason reason);

inline constexpr std::size_t kMaxClosedTextBytes = 240;

struct Closed {
  CloseReason reason = CloseReason::kRemoved;
  std::string_view text;  // for people; at most kMaxClosedTextBytes
};

inline Closed closed_because(CloseReason reason) {
  return {.reason = reason, .text = text_of(reason)};
}

using ServerFrame = std::variant<Log, Head, Gap, Refused, Taken, PathChallenge, Closed>;

// --- Reading -------------------------------------------------------------------------------------

enum class ReadResult : std::uint8_t {
  kFrame,      // `frame` is one
  kEnd,        // nothing is left
  kUnknown,    // a type that this side does not know
  kMalformed,  // cut short, or a number that cannot be
};

// The next frame; what is not kFrame is the last one. Padding is passed over.
ReadResult read_frame(ByteReader& reader, ClientFrame& frame);
ReadResult read_frame(ByteReader& reader, ServerFrame& frame);

// --- Writing -------------------------------------------------------------------------------------

// Each writes one frame, of at most kMaxSmallFrameBytes unless it says otherwise.
inline constexpr std::size_t kMaxSmallFrameBytes = 64;
inline constexpr std::size_t kMaxHaveBytes = 64 + kMaxRanges * 2 * kMaxVarintBytes;
inline constexpr std::size_t kMaxSayHeadBytes = 1 + kMaxVarintBytes + 1 + 4;

void write_frame(ByteWriter& writer, const Say& say);    // kMaxSayHeadBytes and its bytes
void write_frame(ByteWriter& writer, const Have& have);  // kMaxHaveBytes
void write_frame(ByteWriter& writer, const Leave& leave);
void write_frame(ByteWriter& writer, const PathResponse& response);

// The entries follow.
void write_log_head(ByteWriter& writer, std::uint64_t log_epoch, std::uint64_t first,
                    std::uint64_t count);
void write_frame(ByteWriter& writer, const Head& head);
void write_frame(ByteWriter& writer, const Gap& gap);
void write_frame(ByteWriter& writer, const Refused& refused);
void write_frame(ByteWriter& writer, const Taken& taken);
void write_frame(ByteWriter& writer, const PathChallenge& challenge);
void write_frame(ByteWriter& writer, const Closed& closed);  // 16 bytes and its text

inline constexpr std::size_t kMaxLogHeadBytes = 1 + 3 * kMaxVarintBytes;

// So long that SAY, and LOG with this one entry, fit kMaxBundleBytes.
inline constexpr std::size_t kMaxSayBytes = 1100;

}  // namespace chatd::v2
