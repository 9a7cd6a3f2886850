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
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/ratelimit/address_limiter.h"
#include "core/room/password.h"
#include "core/stats/counters.h"
#include "core/stats/histograms.h"
#include "core/wire/v1/token.h"

namespace chatd {

struct MemberSnapshot {
  Token token;  // names its slot, too
  std::string username;
  IpAddress tcp_peer;      // it can be bound nowhere else
  std::uint16_t port = 0;  // 0: pending
  std::uint16_t via = 0;   // see Endpoint
  TimeMs last_heard_ms = 0;
  std::uint8_t unreachable_count = 0;
  std::uint32_t behind = 0;  // how many of its room's entries it has still to get
};

// What was said in a room, or told to it, and has still to go out to somebody.
struct EntrySnapshot {
  std::uint32_t sender = 0;  // the slot of the member that has said it; kNoSlot: the server itself
  std::string payload;
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
};

struct RelaySnapshot {
  std::vector<RoomSnapshot> rooms;         // oldest first
  std::vector<AddressSnapshot> addresses;  // that count on this shard; the rooms may be elsewhere
  Counters counters;
  RelayHistograms histograms;
};

}  // namespace chatd
