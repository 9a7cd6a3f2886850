// The TCP side of a shard: accepts connections, cuts what they send into frames, hands these to the
// relay and writes its answers back. Every connection has a deadline by which it must have
// completed a request, so that who dribbles, stalls or does not read its answers is gone after the
// handshake timeout. Work per turn is bounded: so many accepts, so many requests of one connection,
// then the others' turn. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/container/slot_pool.h"
#include "core/limits.h"
#include "core/relay/outbox.h"
#include "core/relay/relay.h"
#include "core/timer/timer_wheel.h"
#include "server/control/connection.h"
#include "server/control/listener.h"

namespace chatd {

class ControlPlane {
 public:
  // `epoll_fd` reports events of connection `slot` with data.u64 == first_event_id + slot.
  ControlPlane(UniqueFd listener, const Limits& limits, int epoll_fd, std::uint64_t first_event_id,
               Relay& relay, TimeMs now_ms);

  int listener_fd() const { return listener_.fd(); }
  void on_listener_event() { listener_.on_readable(); }
  // `events` as epoll reports them.
  void on_connection_event(std::uint32_t slot, std::uint32_t events);

  // Accepts, reads, answers, closes: what has become possible since the last turn, as far as one
  // turn goes.
  void serve(TimeMs now_ms, Outbox& out);

  // Whether there is work left that no event will announce.
  bool has_work(TimeMs now_ms) const { return !to_serve_.empty() || listener_.is_ready(now_ms); }
  std::optional<TimeMs> next_deadline() const;

 private:
  void accept(TimeMs now_ms);
  void admit(TimeMs now_ms, Listener::Accepted accepted);
  void serve_connection(TimeMs now_ms, std::uint32_t slot, Outbox& out);
  void close_overdue(TimeMs now_ms);
  void close(std::uint32_t slot);
  void schedule(std::uint32_t slot);

  bool read_some(Connection& connection);
  bool answer_frames(TimeMs now_ms, std::uint32_t slot, Connection& connection, Outbox& out);
  void answer(TimeMs now_ms, Connection& connection, const FrameView& frame, Outbox& out);
  bool write_some(Connection& connection);

  Listener listener_;
  const Limits limits_;
  int epoll_fd_;
  std::uint64_t first_event_id_;
  Relay& relay_;
  SlotPool<Connection> connections_;
  TimerWheel deadlines_;
  std::vector<std::uint32_t> to_serve_;  // scheduled connections
  std::vector<std::uint32_t> serving_;   // the turn's share of them
  std::vector<char> read_buffer_;
  std::size_t answered_bytes_ = 0;  // in this turn
};

}  // namespace chatd
