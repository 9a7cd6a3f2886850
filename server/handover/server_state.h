// All that the next chatd needs to take over, except the descriptors. These travel beside it, in
// this order: the listener, a UDP socket for each shard, each shard's connections, then the admin
// endpoint's listener, the keeper's line and the TLS port's listener, if there are any. What a
// chatd does not know of comes last, so that it can leave it.
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
  // Where those are from that do not go along: they are encrypted, and end with the old process.
  std::vector<IpAddress> encrypted_peers = {};
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
  std::string tls_port = {};  // as the operator says it; empty: a chatd that knows no TLS
  bool has_tls_listener = false;
  std::string tls_certificate = {};  // that it has made itself, with its key
  std::string tls_ticket_keys = {};  // server/tls/ticket_keys.h
  std::string bans = {};             // an operator's, as server/bans/ban_file.h writes them
  bool has_keeper = false;  // the process that was started first stays (server/lifecycle/keeper.h)

  std::size_t descriptor_count() const {
    std::size_t count = 1 + shards.size() + (admin.empty() ? 0 : 1) + (has_keeper ? 1 : 0) +
                        (has_tls_listener ? 1 : 0);
    for (const ShardState& shard : shards) count += shard.connections.size();
    return count;
  }
};

// What a server passes on to another process. It keeps ownership of the descriptors.
struct ExportedState {
  ServerState state;
  std::vector<int> descriptors;
  int tls_listener = -1;  // which goes last of all
};

// The same as the other process receives it: as many descriptors as the server's state needs, and
// what does not belong to the server.
struct ImportedState {
  ServerState state;
  std::vector<UniqueFd> descriptors;
  UniqueFd admin_listener = {};
  UniqueFd keeper_line = {};
  UniqueFd tls_listener = {};
};

}  // namespace chatd
