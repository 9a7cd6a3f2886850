// All that a relay knows and another one needs to go on in its place: who is in which room, under
// which token, where, and when it was last heard; what each address has open; what was counted.
// Plain data, for whoever carries it over (server/handover/).
//
// What waits in rooms goes along: entries, and how far each member has got with them. Left out on
// purpose: what may be said (allowances of members, rooms and addresses) starts full again, as with
// new limits (Relay::set_limits), and rooms that have ended, for a relay is only left when all
// their members have got their farewell. Times are of the same clock on both sides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/crypto/reset_key.h"
#include "core/ratelimit/address_limiter.h"
#include "core/room/password.h"
#include "core/room/session.h"
#include "core/stats/counters.h"
#include "core/stats/histograms.h"
#include "core/wire/v1/token.h"
#include "core/wire/v2/frames.h"

namespace chatd {

// Of a member with protocol v2: what Session keeps.
struct SessionSnapshot {
  std::uint64_t id = 0;
  IpAddress ip;  // where it is bound, which may be elsewhere than where it joined from
  Cipher cipher = Cipher::kChaCha20Poly1305;
  PacketKey::Bytes send_key{};
  PacketKey::Bytes receive_key{};
  std::uint64_t send_key_epoch = 0;
  std::uint64_t receive_key_epoch = 0;
  std::uint64_t next_packet = 0;
  std::uint64_t received_next = 0;
  ReplayWindow::Words received{};
  std::uint64_t newest_say = 0;
  std::uint64_t taken_says = 0;
  std::uint64_t refused_says = 0;
  std::uint64_t complete = 0;
  std::uint64_t first_readable = 0;
};

struct MemberSnapshot {
  Token token;  // names its slot, too
  std::string username;
  IpAddress tcp_peer;      // it can be bound nowhere else
  std::uint16_t port = 0;  // 0: pending
  std::uint16_t via = 0;   // see Endpoint
  TimeMs last_heard_ms = 0;
  std::uint8_t unreachable_count = 0;
  std::uint32_t behind = 0;  // how many of its room's entries it has still to get
  v2::MemberId id = 0;       // 0: an older program did not know of it
  std::optional<SessionSnapshot> session = {};
};

// What was said in a room, or told to it, and has still to go out to somebody, or is kept.
struct EntrySnapshot {
  std::uint32_t sender = 0;  // the slot of the member that has said it; kNoSlot: the server itself
  std::string payload;
  v2::EntryKind kind = v2::EntryKind::kSaid;
  v2::MemberId member = v2::kServerId;
  std::uint64_t client_number = 0;
  v2::ContentType content_type = v2::ContentType::kV1Payload;
  bool is_for_v1 = true;
};

struct RoomSnapshot {
  std::string name;
  Password password;
  IpAddress creator;
  std::uint64_t creation_order = 0;
  std::uint32_t host = 0;  // its slot
  std::vector<MemberSnapshot> members;
  std::uint64_t first_entry = 0;  // the number of the first of them, or of the entry to come
  std::vector<EntrySnapshot> entries;
  v2::MemberId next_member_id = 1;
  std::uint32_t history_entries = 0;
  bool keeps_entries = false;
};

struct RelaySnapshot {
  std::vector<RoomSnapshot> rooms;         // oldest first
  std::vector<AddressSnapshot> addresses;  // that count on this shard; the rooms may be elsewhere
  Counters counters;
  RelayHistograms histograms;
  std::optional<ResetKey::Bytes> reset_key = {};  // an older program had none
};

}  // namespace chatd
