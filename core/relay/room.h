// One room. Members' endpoints lie in one array, in step with their slots, so that a fan-out is one
// walk through memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/address/endpoint.h"
#include "core/container/slot_pool.h"
#include "core/fanout/message_store.h"
#include "core/fanout/progress.h"
#include "core/limiting/token_bucket.h"
#include "core/relay/password.h"

namespace chatd {

struct Room {
  std::string name;
  Password password;
  IpAddress creator;              // the room counts against this address
  std::uint64_t sequence = 0;     // grows with each room of the server: the order of lists
  std::uint32_t older = kNoSlot;  // the roster's rooms form a list in that order
  std::uint32_t newer = kNoSlot;
  std::uint32_t host = 0;             // member slot
  std::uint32_t pending_members = 0;  // those whose endpoint has port 0
  TokenBucket notices;                // arrivals and departures that it is told

  // What FanOut has still to send here.
  MessageQueue waiting;
  Progress progress;
  std::uint32_t next_waiting = kNoSlot;  // rooms with messages stand in line for their turn
  std::uint32_t previous_waiting = kNoSlot;

  std::vector<std::uint32_t> members;  // slots
  std::vector<Endpoint> endpoints;     // endpoints[i] is where members[i] is bound
};

}  // namespace chatd
