#include "server/control/control_plane.h"

#include "core/base/time.h"

namespace chatd {

ControlPlane::ControlPlane(Io& io, UniqueFd listener, const Limits& limits, const ShardMap& shards,
                           int epoll_fd, std::uint64_t first_event_id, ShardPort& port,
                           RateLimitedLog& log, Counters& counters, TimeMs now_ms)
    : connections_(io, limits, epoll_fd, first_event_id, port, log, counters, now_ms) {
  if (!listener) return;
  acceptor_.emplace(io, std::move(listener), limits, shards, port.group(), port.shard(),
                    connections_, log, counters);
}

void ControlPlane::serve(TimeMs now_ms, Outbox& out) {
  if (acceptor_) acceptor_->serve(now_ms);
  connections_.serve(now_ms, out);
}

std::optional<TimeMs> ControlPlane::next_deadline() const {
  const auto deadline_ms = connections_.next_deadline();
  return acceptor_ ? earliest(deadline_ms, acceptor_->next_deadline()) : deadline_ms;
}

}  // namespace chatd
