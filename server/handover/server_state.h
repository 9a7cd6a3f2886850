// All that the next chatd needs to take over, except the descriptors. These travel beside it, in
// this order: the listener, a UDP socket for each shard, each shard's connections, then the admin
// endpoint's listener and the keeper's line, if there are any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/keyed_hash.h"
#include "core/room/snapshot.h"
#include "server/control/connection.h"
#include "server/os/local_addresses.h"
#include "server/os/unique_fd.h"

namespace chatd {

struct ShardState {
  RelaySnapshot relay;
  std::vector<ConnectionState> connections;
  std::uint32_t receive_drops_seen = 0;  // the kernel's counter, as last read
};

struct ServerState {
  // Where the operator wanted it to listen. The sockets stay where they are, so a hand-over cannot
  // apply a configuration with other addresses.
  std::string host;
  std::uint16_t tcp_port = 0;
  std::uint16_t udp_port = 0;
  KeyedHash::Key map_key{};                   // which shard owns what (core/base/shard_map.h)
  std::uint64_t next_creation_order = 0;      // of requests
  std::vector<LocalAddress> local_addresses;  // members' endpoints name them
  std::vector<ShardState> shards;
  std::string admin = {};  // where the admin endpoint listens, as the operator says it; empty: none
  bool has_keeper = false;  // the process that was started first stays (server/lifecycle/keeper.h)

  std::size_t descriptor_count() const {
    std::size_t count = 1 + shards.size() + (admin.empty() ? 0 : 1) + (has_keeper ? 1 : 0);
    for (const ShardState& shard : shards) count += shard.connections.size();
    return count;
  }
};

// What a server passes on to another process. It keeps ownership of the descriptors.
struct ExportedState {
  ServerState state;
  std::vector<int> descriptors;
};

// The same as the other process receives it: as many descriptors as the server's state needs, and
// what does not belong to the server.
struct ImportedState {
  ServerState state;
  std::vector<UniqueFd> descriptors;
  UniqueFd admin_listener = {};
  UniqueFd keeper_line = {};
};

}  // namespace chatd
