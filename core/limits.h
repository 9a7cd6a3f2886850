// Every size and bound of the relay in one place: what the protocol fixes, and what an operator may
// set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatd {

// Fixed by the protocol (docs/protocol.md).
inline constexpr std::size_t kMaxNameBytes = 255;       // a room name or a username
inline constexpr std::size_t kMaxDatagramBytes = 4096;  // client to server, headers included
inline constexpr std::size_t kMaxGreetingBytes = 1400;  // some old clients read it with one recv
inline constexpr std::size_t kMaxListedMembers = 20;    // names per room in a greeting or list
inline constexpr unsigned kMaxConsecutiveRefusals = 3;  // one more removes the member

// Beyond max_connections so many more are accepted, to be answered 503; those beyond are closed at
// once.
inline constexpr std::uint32_t kSpareConnections = 64;

// Messages that wait to be sent (core/relay/fan_out.h): in one room, and in all of them, in blocks
// of 256 bytes.
inline constexpr std::uint32_t kMaxWaitingMessages = 1024;
inline constexpr std::uint32_t kMessageStoreBlocks = 65'536;
// Messages times members, in one room.
inline constexpr std::uint32_t kMaxWaitingDeliveries = 262'144;

// What a room may send in a turn, in the outbox's units of work: a millisecond or two.
inline constexpr std::uint32_t kMaxTurnWork = 2048;

// What an operator may set. The defaults serve a small public server.
struct Limits {
  std::uint32_t max_rooms = 100'000;
  std::uint32_t max_members = 1'000'000;
  std::uint32_t max_room_members = 10'000;
  std::uint32_t max_notified_members = 128;  // larger rooms hear no join and leave notices
  std::uint32_t idle_timeout_ms = 300'000;

  // Control connections.
  std::uint32_t max_connections = 4096;
  std::uint32_t max_frame_bytes = 16 * 1024;  // header included
  std::uint32_t handshake_timeout_ms =
      10'000;  // to complete a request, counted from accept or the last one

  // Per address (an IPv6 /64 counts as one); 0 means no limit. Loopback is exempt unless asked for:
  // behind it stand the operator's own tools.
  std::uint32_t max_address_rooms = 100;
  std::uint32_t max_address_requests_per_s = 50;  // sustained; bursts of four times as many
  bool limit_loopback = false;

  // Whether a member may move to a new port at the same IP (see docs/protocol.md, "roaming").
  bool roaming_same_ip = false;
};

}  // namespace chatd
