// One person in one room.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/ip_address.h"
#include "core/base/slot_pool.h"
#include "core/base/time.h"
#include "core/ratelimit/member_rate_limiter.h"
#include "core/room/name_key.h"
#include "core/wire/v1/token.h"
#include "core/wire/v2/frames.h"

namespace chatd {

struct Member {
  std::string username;
  NameKey name_key;
  v2::MemberId id = v2::kServerId;  // in its room, and never again anybody's there
  Token token;
  IpAddress tcp_peer;        // where it joined from
  TimeMs last_heard_ms = 0;  // its last valid datagram, or its join
  MemberRateLimiter rate_limiter;
  std::uint32_t room = kNoSlot;
  std::uint32_t position = 0;                // in the room's arrays; its endpoint is there
  std::uint32_t next_at_endpoint = kNoSlot;  // members bound to one endpoint form a list
  std::uint32_t previous_at_endpoint = kNoSlot;
  std::uint8_t unreachable_count = 0;  // ICMP port unreachable, no datagram between
};

}  // namespace chatd
