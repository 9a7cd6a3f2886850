#include "server/control/control_plane.h"

#include <utility>

#include "core/base/time.h"

namespace chatd {

ControlPlane::ControlPlane(Io& io, UniqueFd listener, UniqueFd tls_listener, const Limits& limits,
                           const ShardMap& shards, int epoll_fd, std::uint64_t first_event_id,
                           ShardPort& port, RateLimitedLog& log, Counters& counters, TimeMs now_ms)
    : connections_(io, limits, epoll_fd, first_event_id, port, log, counters, now_ms) {
  const auto open = [&](std::optional<Acceptor>& acceptor, UniqueFd fd, bool is_encrypted) {
    if (!fd) return;
    acceptor.emplace(io, std::move(fd), is_encrypted, limits, shards, port.group(), port.shard(),
                     connections_, log, counters);
  };
  open(acceptor_, std::move(listener), false);
  open(tls_acceptor_, std::move(tls_listener), true);
}

void ControlPlane::serve(TimeMs now_ms, Outbox& out) {
  // Those of other shards are closed elsewhere; then a listener's own patience is enough.
  const bool is_descriptor_free = connections_.take_descriptor_freed();
  for (auto* const acceptor : {&acceptor_, &tls_acceptor_}) {
    if (!*acceptor) continue;
    if (is_descriptor_free) (*acceptor)->on_descriptor_freed();
    (*acceptor)->serve(now_ms);
  }
  connections_.serve(now_ms, out);
}

std::optional<TimeMs> ControlPlane::next_deadline() const {
  auto deadline_ms = connections_.next_deadline();
  for (const auto* const acceptor : {&acceptor_, &tls_acceptor_}) {
    if (*acceptor) deadline_ms = earliest(deadline_ms, (*acceptor)->next_deadline());
  }
  return deadline_ms;
}

}  // namespace chatd
