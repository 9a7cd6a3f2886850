// Every size and bound of the relay in one place: what the protocol fixes, and what an operator may
// set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatd {

// Fixed by the protocol (docs/reference/protocol.md).
inline constexpr std::size_t kMaxNameBytes = 255;       // a room name or a username
inline constexpr std::size_t kMaxDatagramBytes = 4096;  // client to server, headers included
inline constexpr std::size_t kMaxGreetingBytes = 1400;  // some old clients read it with one recv
inline constexpr std::size_t kMaxListedMembers = 20;    // names per room in a greeting or list
inline constexpr std::size_t kMaxListBytes = 64 * 1024 * 1024;  // a list's frame
inline constexpr unsigned kMaxUnreachable = 3;                  // one more removes the member

// Beyond max_connections so many more are accepted, to be answered 503; those beyond are closed at
// once.
inline constexpr std::uint32_t kSpareConnections = 64;

// Messages that wait to be sent (core/room/dispatcher.h): in one room, and in all of them, in
// blocks of 256 bytes.
inline constexpr std::uint32_t kMaxWaitingMessages = 1024;
inline constexpr std::uint32_t kMessageStoreBlocks = 65'536;
// The most that an operator may let a room keep of what was said (Limits::history_entries).
inline constexpr std::uint32_t kMaxHistoryEntries = 16'384;
// Messages times members, in one room.
inline constexpr std::uint32_t kMaxWaitingDeliveries = 262'144;

// What a room may send in a turn, in the outbox's units of work: a millisecond or two.
inline constexpr std::uint32_t kMaxTurnWork = 2048;

// How much one member, one address or one room may ask of a server that serves others as well. 0
// means any amount. What somebody with more than one address or name can do is bounded by Limits.
struct AbuseLimits {
  // Per member: messages, and bytes that go out for them (a message's size, and 100 for the
  // datagram, times its receivers). Bursts of two seconds' worth. The defaults are far above what
  // people do, and far below what would hurt others.
  std::uint32_t max_member_messages_per_s = 500;
  std::uint32_t max_member_bytes_per_s = 16 << 20;

  // Per address (an IPv6 /64 counts as one). Loopback is exempt unless asked for: behind it stand
  // the operator's own tools.
  std::uint32_t max_address_rooms = 100;
  std::uint32_t max_address_connections = 100;    // at a time
  std::uint32_t max_address_requests_per_s = 50;  // and as many connections; bursts of 4 s' worth
  std::uint32_t max_password_attempts_per_min = 10;  // wrong ones, per address and room
  bool limit_loopback = false;

  // Per room: what is announced to it, arrivals and departures. Bursts of five seconds' worth.
  std::uint32_t max_room_notices_per_s = 50;

  bool operator==(const AbuseLimits&) const = default;

  // For a closed lab.
  static constexpr AbuseLimits none() {
    return {.max_member_messages_per_s = 0,
            .max_member_bytes_per_s = 0,
            .max_address_rooms = 0,
            .max_address_connections = 0,
            .max_address_requests_per_s = 0,
            .max_password_attempts_per_min = 0,
            .max_room_notices_per_s = 0};
  }
};

// What tables and buffers are made for, so that it takes a restart to change them.
struct SizeLimits {
  std::uint32_t max_rooms = 100'000;
  std::uint32_t max_members = 1'000'000;
  std::uint32_t max_room_members = 10'000;
  std::uint32_t max_connections = 4096;
  std::uint32_t max_frame_bytes = 16 * 1024;  // header included
};

// What an operator may set. The defaults serve a small public server.
struct Limits : SizeLimits {
  std::uint32_t max_notified_members = 128;  // larger rooms hear no join and leave notices
  std::uint32_t idle_timeout_ms = 300'000;

  // For a connection to complete a request, counted from accept or the last one.
  std::uint32_t handshake_timeout_ms = 10'000;

  // Answers to one source that is not authenticated, and may be somebody else's victim. 0: none.
  std::uint32_t max_source_answers_per_s = 1;

  AbuseLimits abuse{};

  // What a room keeps of what was said there, for members with protocol v2 who have missed some of
  // it, or come late (core/room/room_log.h): at most so many entries, and bytes.
  std::uint32_t history_entries = 1024;
  std::uint32_t history_bytes = 1 << 20;

  // Whether a member may move to a new port at the same IP (docs/reference/protocol.md, "roaming").
  bool roaming_same_ip = false;

  // These, as far as a relay that was started with other ones can take them over.
  Limits with_sizes_of(const SizeLimits& started) const {
    Limits limits = *this;
    static_cast<SizeLimits&>(limits) = started;
    return limits;
  }
};

}  // namespace chatd
