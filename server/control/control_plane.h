// The TCP side of a shard: accepts connections, if it is the shard that does so for all, and serves
// its own. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/base/shard_map.h"
#include "core/base/time.h"
#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "server/control/acceptor.h"
#include "server/control/connections.h"
#include "server/group/shard_port.h"
#include "server/io/io.h"
#include "server/log/rate_limited_log.h"

namespace chatd {

class ControlPlane {
 public:
  // There may be no listeners, or no `tls_listener` alone. `limits` may change from one call to the
  // next, but for sizes. `epoll_fd` reports events of connection `slot` with data.u64 ==
  // first_event_id + slot.
  ControlPlane(Io& io, UniqueFd listener, UniqueFd tls_listener, const Limits& limits,
               const ShardMap& shards, int epoll_fd, std::uint64_t first_event_id, ShardPort& port,
               RateLimitedLog& log, Counters& counters, TimeMs now_ms);

  // -1: none.
  int listener_fd() const { return acceptor_ ? acceptor_->fd() : -1; }
  int tls_listener_fd() const { return tls_acceptor_ ? tls_acceptor_->fd() : -1; }

  // `events` as epoll reports them.
  void on_listener_event() { acceptor_->on_readable(); }
  void on_tls_listener_event() { tls_acceptor_->on_readable(); }
  void on_connection_event(std::uint32_t slot, std::uint32_t events) {
    connections_.on_connection_event(slot, events);
  }

  // Accepts, reads and answers: what has become possible since the last turn, as far as one turn
  // goes.
  void serve(TimeMs now_ms, Outbox& out);
  // Closes connections that have not completed a request in time, as far as is known by what has
  // been read up to `heard_until_ms`.
  void close_overdue(TimeMs now_ms, TimeMs heard_until_ms) {
    connections_.close_overdue(now_ms, heard_until_ms);
  }

  // What comes from other shards: a connection that is this one's, the rest of an answer.
  void adopt(TimeMs now_ms, HandedConnection accepted) {
    connections_.adopt(now_ms, std::move(accepted));
  }
  void deliver(TimeMs now_ms, const PeerShards::Reply& reply) {
    connections_.deliver(now_ms, reply);
  }

  // For another process, and from one (server/handover/).
  std::vector<ConnectionState> states(std::vector<int>& descriptors) const {
    return connections_.states(descriptors);
  }
  void restore(TimeMs now_ms, UniqueFd fd, ConnectionState state) {
    connections_.restore(now_ms, std::move(fd), std::move(state));
  }
  std::vector<IpAddress> encrypted_peers() const { return connections_.encrypted_peers(); }
  void end_encrypted() { connections_.end_encrypted(); }
  void forget_encrypted(TimeMs now_ms, const std::vector<IpAddress>& peers) {
    connections_.forget_encrypted(now_ms, peers);
  }

  // Whether there is work left that no event will announce, and when there will be.
  bool has_work(TimeMs now_ms) const { return accepts(now_ms) || connections_.has_work(now_ms); }
  std::optional<TimeMs> next_deadline() const;
  // Whether all is read and answered that had come when events were last looked at.
  bool has_read_all(TimeMs now_ms) const { return !accepts(now_ms) && connections_.has_read_all(); }

 private:
  bool accepts(TimeMs now_ms) const {
    return (acceptor_ && acceptor_->has_work(now_ms)) ||
           (tls_acceptor_ && tls_acceptor_->has_work(now_ms));
  }

  Connections connections_;
  // On one of the shards.
  std::optional<Acceptor> acceptor_;
  std::optional<Acceptor> tls_acceptor_;
};

}  // namespace chatd
