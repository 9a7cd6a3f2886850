// A shard's control connections: cuts what they send into frames, hands these to the relay and
// writes its answers back. Every connection has a deadline by which it must have completed a
// request, so that who dribbles, stalls or does not read its answers is gone after the handshake
// timeout. Work per turn is bounded: so many requests of one connection, then the others' turn.
//
// Where an answer needs another shard, the connection waits for the rest of it, and what it sends
// meanwhile waits, too: requests are answered in order. If it closes before, the answer is dropped,
// and what it has asked for has happened all the same.
//
// Room lists can be long, and many may ask for them: their text is shared by all who read it
// (core/room/room_list.h), and they take turns, a bounded piece each and a bounded amount in all
// between two looks at everything else. Each piece that a reader takes puts its deadline off.
//
// A connection that has come to the TLS port shakes hands first (tls_connections.cpp), in the same
// time. That is the dearest thing that a stranger can ask for: so a turn does a few steps of
// handshakes and no more, and there are so many at a time: of more, the one gives way that waits
// for its client for longest, for an honest one answers within a round trip. Thread: the shard's.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/base/slot_pool.h"
#include "core/base/timer_wheel.h"
#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "server/control/connection.h"
#include "server/group/shard_port.h"
#include "server/io/io.h"
#include "server/log/rate_limited_log.h"

namespace chatd {

class Connections {
 public:
  // `limits` may change from one call to the next, but for sizes. `epoll_fd` reports events of
  // connection `slot` with data.u64 == first_event_id + slot.
  Connections(Io& io, const Limits& limits, int epoll_fd, std::uint64_t first_event_id,
              ShardPort& port, RateLimitedLog& log, Counters& counters, TimeMs now_ms);

  // `events` as epoll reports them.
  void on_connection_event(std::uint32_t slot, std::uint32_t events);

  // A connection that has been accepted for this shard, and is counted in the group of shards.
  void adopt(TimeMs now_ms, HandedConnection accepted);
  // One that another process has had, and counted (server/handover/).
  void restore(TimeMs now_ms, UniqueFd fd, ConnectionState state);
  // All connections, for another process; their descriptors are appended. None may be waiting for
  // another shard.
  std::vector<ConnectionState> states(std::vector<int>& descriptors) const;
  // What is encrypted cannot go to another process: where those connections are from. When that
  // process has gone on, they end here: what is written leaves, and a word that it is over.
  std::vector<IpAddress> encrypted_peers() const;
  void end_encrypted();
  // The same there: they are not open any more.
  void forget_encrypted(TimeMs now_ms, const std::vector<IpAddress>& peers);
  // The rest of an answer.
  void deliver(TimeMs now_ms, const PeerShards::Reply& reply);

  // Reads and answers: what has become possible since the last turn, as far as one turn goes.
  void serve(TimeMs now_ms, Outbox& out);
  // Whether all is read and answered that had come when events were last looked at.
  bool has_read_all() const { return to_serve_.empty(); }
  // Closes those who have not completed a request in time, as far as is known by what has been read
  // up to `heard_until_ms`.
  void close_overdue(TimeMs now_ms, TimeMs heard_until_ms);

  // Whether there is work left that no event will announce.
  bool has_work(TimeMs now_ms) const {
    return !to_serve_.empty() || !list_queue_.empty() || port_.has_lists_to_write(now_ms);
  }
  std::optional<TimeMs> next_deadline() const;

  // Whether a connection was closed since the last call.
  bool take_descriptor_freed() { return std::exchange(has_freed_descriptor_, false); }

 private:
  std::optional<std::uint32_t> take_in(TimeMs now_ms, Connection connection);
  void reject(TimeMs now_ms, HandedConnection accepted);
  void send_away(HandedConnection accepted, std::string_view answer);
  void serve_connection(TimeMs now_ms, std::uint32_t slot, Outbox& out);
  void put_deadline_off(TimeMs now_ms, std::uint32_t slot);
  void close_broken(TimeMs now_ms, std::uint32_t slot);
  void close(std::uint32_t slot);
  void schedule(std::uint32_t slot);

  bool read_some(Connection& connection);
  bool answer_frames(TimeMs now_ms, std::uint32_t slot, Connection& connection, Outbox& out);
  void answer(TimeMs now_ms, std::uint32_t slot, Connection& connection, const FrameView& frame,
              Outbox& out);
  ConnectionId id_of(std::uint32_t slot) const;
  bool write_some(Connection& connection);

  // TLS (tls_connections.cpp).
  bool start_tls(TimeMs now_ms, Connection& connection, UniqueFd fd);
  void enqueue_handshake(std::uint32_t slot);
  bool make_room_for_handshake(TimeMs now_ms);
  bool shake_hands(TimeMs now_ms, std::uint32_t slot);
  void end_handshake(std::uint32_t slot);
  void fail_handshake(TimeMs now_ms, std::uint32_t slot);
  void time_out_handshake(TimeMs now_ms, std::uint32_t slot);
  void part(std::uint32_t slot);
  void refuse_tls(TimeMs now_ms, Connection& connection);

  // Room lists (list_connections.cpp).
  void write_lists(TimeMs now_ms);
  void cut_oldest_list(TimeMs now_ms);
  void enqueue_list(std::uint32_t slot);
  void send_lists(TimeMs now_ms);
  std::size_t send_piece(TimeMs now_ms, std::uint32_t slot);

  Io& io_;
  const Limits& limits_;
  int epoll_fd_;
  std::uint64_t first_event_id_;
  ShardPort& port_;
  RateLimitedLog& log_;
  Counters& counters_;
  SlotPool<Connection> connections_;
  TimerWheel deadlines_;
  std::vector<std::uint32_t> to_serve_;   // scheduled connections
  std::vector<std::uint32_t> serving_;    // the turn's share of them
  std::deque<std::uint32_t> list_queue_;  // connections whose list may go on
  std::list<std::uint32_t> handshakes_;   // connections; whose client was heard last comes last
  int handshake_steps_left_ = 0;          // in this turn
  std::vector<char> read_buffer_;
  std::unique_ptr<char[]> piece_;  // of a list
  std::uint64_t next_serial_ = 0;
  bool has_freed_descriptor_ = false;
};

}  // namespace chatd
