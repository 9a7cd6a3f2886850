// One shard: a relay, the sockets that feed it, and the loop that drives both. Shards share nothing
// but a ShardGroup (server/group/), so that there can be one per core.
//
// duty_cycle() is the heart of chatd: wait, read the clock once, take in what has come (a bounded
// share of each kind, so that a flood of one kind starves no other), let the relay work, and send
// what it wants sent. It reads like its page (docs/internals/architecture.md, "The duty cycle").
// UDP is behind DataPlane, TCP behind ControlPlane, other shards behind ShardPort and MailboxDrain.
// Thread: all of it on the one that calls run().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/relay/relay.h"
#include "core/room/outbox.h"
#include "server/control/control_plane.h"
#include "server/data/data_plane.h"
#include "server/group/shard_group.h"
#include "server/group/shard_port.h"
#include "server/handover/server_state.h"
#include "server/io/io.h"
#include "server/log/rate_limited_log.h"
#include "server/os/unique_fd.h"
#include "server/shard/input_horizon.h"
#include "server/shard/loop_timer.h"
#include "server/shard/mailbox_drain.h"

namespace chatd {

struct ShardSockets {
  // Of the shard that accepts connections; none for the others.
  UniqueFd tcp_listener;
  UniqueFd tls_listener = {};  // nor where there is no TLS port
  UniqueFd udp;
  int family = 0;  // of both
  std::size_t max_lanes = Lanes::kMaxLanes;
};

// Work between two looks at everything else: what is sent, in the outbox's units, which is some
// milliseconds' worth, and datagrams that are received.
struct ShardBounds {
  std::uint32_t outbox_work = kMaxTurnWork;
  std::size_t datagrams = 512;
};

class Shard {
 public:
  // data.u64 of the first connection's events.
  static constexpr std::uint64_t kFirstConnectionEvent = 5;

  // Stops when `stop_fd` becomes readable. `group` has a line for each shard and must
  // outlive the shard.
  static tl::expected<std::unique_ptr<Shard>, std::string> open(Io& io, ShardSockets sockets,
                                                                std::unique_ptr<Relay> relay,
                                                                ShardGroup& group, int stop_fd,
                                                                const ShardBounds& bounds = {});

  // Until `stop_fd` is readable. It may be called again.
  void run();
  // Its parts, for who has no thread for it (tests/sim): what comes first, one turn, and for how
  // long that would wait at most (-1: for ever).
  void go_on();
  void duty_cycle();
  int wait_timeout_ms(TimeMs now_ms) const;

  // The end, after run(): what has arrived before is still relayed, as far as that goes in a
  // moment, and every member is told; a socket that is full for a second ends that.
  void end();

  // Or another process goes on in its place (server/handover/), from any thread when all shards
  // have left run(). First a turn that takes in nothing new and sends what waits; it returns
  // whether there was anything to do: shards may leave each other shard messages.
  bool quiesce();
  // What the network has not taken in time does not hold that up: it is dropped, and counted.
  void drop_unsent();
  // It waits for a socket that is full.
  bool is_send_blocked() const { return data_.is_send_blocked(); }
  int udp_fd() const { return data_.fd(); }
  // -1: it does not accept connections.
  int listener_fd() const { return control_.listener_fd(); }
  int tls_listener_fd() const { return control_.tls_listener_fd(); }
  // Then all that it knows; the connections' descriptors are appended. They stay its own.
  ShardState state(std::vector<int>& descriptors);
  // Before the first run(): goes on from there. An error says what does not fit.
  tl::expected<void, std::string> restore(ShardState state, std::span<UniqueFd> connections);
  // When another process has gone on: what cannot go there ends here (Connections::end_encrypted).
  void end_encrypted() { control_.end_encrypted(); }

  const Counters& counters() const { return relay_->counters(); }

 private:
  Shard(Io& io, UniqueFd epoll, ShardSockets&& sockets, std::unique_ptr<Relay> relay,
        ShardGroup& group, const ShardBounds& bounds);

  void wait();
  void look_past_connections();
  void mark_ready(const epoll_event& event);
  void take_refusals(TimeMs now_ms);
  void receive(TimeMs now_ms);
  void serve_rooms();
  void send(TimeMs now_ms);
  void end_turn(TimeMs now_ms);

  bool has_work(TimeMs now_ms) const;
  bool has_read_all(TimeMs now_ms) const;
  void drain_input();
  void deal_with_received(TimeMs now_ms);
  void disconnect_members();
  tl::expected<void, std::string> watch(int fd, std::uint32_t events, std::uint64_t id);

  Io& io_;
  UniqueFd epoll_;
  std::unique_ptr<Relay> relay_;
  const ShardBounds bounds_;
  Outbox outbox_;
  RateLimitedLog log_;
  DataPlane data_;
  ShardPort port_;
  ControlPlane control_;
  MailboxDrain mail_drain_;
  InputHorizon horizon_;
  LoopTimer loop_timer_;
  bool is_stopping_ = false;
};

}  // namespace chatd
