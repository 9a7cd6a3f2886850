// Accepts control connections for all shards and gives each to the shard that counts its address
// (core/base/shard_map.h), so that what is limited per address is counted in one place. One shard
// accepts: that is a few microseconds a connection, little beside what a join costs, and the limit
// on connections needs no agreement. Thread: its shard's.
#pragma once

#include <optional>

#include "core/base/limits.h"
#include "core/base/shard_map.h"
#include "core/base/time.h"
#include "core/stats/counters.h"
#include "server/control/connections.h"
#include "server/control/listener.h"
#include "server/group/shard_group.h"

namespace chatd {

class Acceptor {
 public:
  // `own` are the connections of this shard. `is_encrypted`: they come to the TLS port.
  Acceptor(Io& io, UniqueFd listener, bool is_encrypted, const Limits& limits,
           const ShardMap& shards, ShardGroup& group, std::uint8_t shard, Connections& own,
           RateLimitedLog& log, Counters& counters);

  int fd() const { return listener_.fd(); }
  void on_readable() { listener_.on_readable(); }
  void on_descriptor_freed() { listener_.on_descriptor_freed(); }

  // Accepts what waits, as far as one turn goes.
  void serve(TimeMs now_ms);
  bool has_work(TimeMs now_ms) const { return listener_.is_ready(now_ms); }
  std::optional<TimeMs> next_deadline() const { return listener_.retry_at(); }

 private:
  void admit(TimeMs now_ms, Listener::Accepted accepted);

  Io& io_;
  Listener listener_;
  bool is_encrypted_;
  const Limits& limits_;
  const ShardMap shards_;
  ShardGroup& group_;
  std::uint8_t shard_;
  Connections& own_;
  RateLimitedLog& log_;
  Counters& counters_;
};

}  // namespace chatd
