// A shard's view of the others, for one call: what is known of them goes in, and what is to be told
// to them, or to a connection that has waited for them, comes out. A relay without neighbours
// (one shard, most tests) uses an empty one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/control/greeting.h"
#include "core/control/shard_message.h"
#include "core/room/room_list.h"

namespace chatd {

// What each shard publishes.
struct ShardStats {
  std::uint32_t rooms = 0;
  std::uint32_t members = 0;
  std::uint64_t roster_version = 0;
  std::shared_ptr<const GreetingPart> greeting;
};

struct PeerShards {
  struct Outgoing {
    std::uint8_t to;
    ShardMessage message;
  };
  struct Reply {
    ConnectionId to;
    std::string frames;
    std::shared_ptr<const RoomList> list;  // one more frame behind them, or nothing
  };

  // In: all shards by number (one's own entry is not read), and a number that grows from request to
  // request over all of them: rooms are listed in the order of their creation wherever they live.
  std::vector<ShardStats> figures;
  std::uint64_t creation_order = 0;

  // Out.
  std::vector<Outgoing> messages;
  std::vector<Reply> replies;

  void post(std::uint8_t to, ShardMessage message);
};

}  // namespace chatd
