// The relay as a pure state machine, and the file to read first. Datagrams, requests, refusals and
// the time go in; what is to be sent comes out, in an Outbox (datagrams) or a string (answers over
// TCP). No socket, clock, thread or file: the server feeds it from the network, a test or a
// simulator from wherever it likes.
//
// A message's way: on_datagrams, with the header parsed (core/wire/received_datagram.h) ->
// authenticate -> is its sender within its rate (core/ratelimit/member_rate_limiter.h) -> check the
// payload (core/wire/v1/payload.h) -> its room's log (core/room/room_log.h); then serve_rooms ->
// the room's turn (core/room/dispatcher.h) -> Outbox. With protocol v2 it is opened instead, and
// says who speaks by that (core/relay/session_handler.h). Arrivals and departures go the same way,
// as notices in the log.
//
// After construction nothing is allocated for a datagram that is relayed or dropped. Thread: one at
// a time; a shard has a relay of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "core/base/limits.h"
#include "core/base/random_stream.h"
#include "core/base/shard_map.h"
#include "core/base/time.h"
#include "core/control/ban_list.h"
#include "core/control/ban_sweep.h"
#include "core/control/peer_shards.h"
#include "core/control/request_handler.h"
#include "core/control/room_service.h"
#include "core/crypto/packet_key.h"
#include "core/crypto/reset_key.h"
#include "core/ratelimit/address_limiter.h"
#include "core/ratelimit/source_answers.h"
#include "core/relay/session_handler.h"
#include "core/room/broadcast.h"
#include "core/room/dispatcher.h"
#include "core/room/membership.h"
#include "core/room/outbox.h"
#include "core/room/quota_releases.h"
#include "core/room/room_events.h"
#include "core/room/roster.h"
#include "core/room/snapshot.h"
#include "core/stats/counters.h"
#include "core/stats/histograms.h"
#include "core/wire/received_datagram.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/payload.h"

namespace chatd {

struct RelayConfig {
  Limits limits;
  LocalEndpoints local_endpoints;
  ServedPorts ports;
  RandomStream::Seed
      seed{};  // tokens, salts and hash keys come from it: secret, 32 bytes from the kernel
  std::optional<ResetKey::Bytes> reset_key = {};  // nothing: one is made
  std::uint8_t shard = 0;                         // which one this is
  ShardMap shards;
  TrainLimits trains;                         // what the network takes
  Cipher cipher = Cipher::kChaCha20Poly1305;  // that seals, unless a client knows only the other
  BanListPointer bans = {};                   // nothing: nobody is banned
  std::uint32_t message_store_blocks = kMessageStoreBlocks;
};

class Relay {
 public:
  Relay(const RelayConfig& config, TimeMs now_ms);
  Relay(const Relay&) = delete;  // the parts refer to each other
  Relay& operator=(const Relay&) = delete;
  // What is virtual is called for a batch, a request or a turn, never for a datagram. The simulator
  // checks each such call (tests/sim/audited_relay.h).
  virtual ~Relay() = default;

  // Datagrams, one after the other, until `out` is full: returns how many it has taken. A message
  // in one, and a notice that it causes, waits for serve_rooms(); an answer goes to `out`.
  virtual std::size_t on_datagrams(TimeMs now_ms, std::span<const ReceivedDatagram> batch,
                                   Outbox& out);
  // One, whether `out` is full or not. kPayloadPaddingBytes behind it must be readable.
  void on_datagram(TimeMs now_ms, const Endpoint& from, std::string_view datagram, Outbox& out) {
    take_datagram(now_ms, parse_received(from, datagram), out);
  }

  // Puts what waits in rooms into `out`, until it is full or nothing waits: call it when all has
  // been taken in that has come, and again while has_waiting().
  virtual void serve_rooms(Outbox& out) {
    broadcast_.go_on();
    dispatcher_.serve(out);
  }
  // Members who have gone are still to be told so; strangers are not answered meanwhile.
  bool owes_farewells() const { return dispatcher_.owes_farewells(); }
  bool has_waiting() const { return dispatcher_.has_waiting() || broadcast_.is_pending(); }
  std::uint32_t waiting_messages() const { return dispatcher_.waiting_messages(); }
  // The end is near: what waits in rooms is dropped, but for farewells.
  virtual void drop_waiting() { dispatcher_.drop_waiting(Counter::kDroppedSendAtStop); }

  // One whole frame from a connection whose other end is `peer`. The answer's frames are appended
  // to `reply`, whole or as far as they are known (false): where another shard has to be asked, the
  // rest follows in `peers.replies`, from a later on_shard_message; a list, from write_lists. The
  // connection's next request has to wait for it.
  virtual bool on_request(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                          const FrameView& frame, PeerShards& peers, std::string& reply,
                          Outbox& out) {
    return requests_.handle({now_ms, peers, out}, {from, peer, frame}, reply);
  }
  // The same for a relay that is alone (no other shards): the answer is always whole.
  void on_request(TimeMs now_ms, const IpAddress& peer, const FrameView& frame, std::string& reply,
                  Outbox& out);

  // The frame that a new connection gets before it asks anything is appended to `reply`.
  void greet(const PeerShards& peers, std::string& reply) { requests_.greet(peers, reply); }

  // Lists that somebody has asked for are made a bounded piece at a time: call it while
  // has_lists_to_write(), among other work, and when their deadline comes.
  virtual void write_lists(TimeMs now_ms, PeerShards& peers) {
    requests_.lists().go_on(now_ms, peers);
  }
  bool has_lists_to_write(TimeMs now_ms) const { return requests_.lists().has_work(now_ms); }
  std::optional<TimeMs> lists_deadline() const { return requests_.lists().next_deadline(); }
  // Since when nobody gets a list any more, because old ones are not being read to their end.
  std::optional<TimeMs> lists_wait_since() const {
    return requests_.lists().waits_for_readers_since();
  }

  // What another shard has to say.
  virtual void on_shard_message(TimeMs now_ms, ShardMessage&& message, PeerShards& peers,
                                Outbox& out) {
    requests_.on_shard_message({now_ms, peers, out}, std::move(message));
  }
  // A connection has come, or ended. False: it is one too many from its address, and must be
  // closed.
  virtual bool open_connection(TimeMs now_ms, const IpAddress& peer) {
    return addresses_.open_connection(now_ms, peer);
  }
  virtual void release_connection(const IpAddress& peer) { addresses_.release_connection(peer); }

  // Shard messages that the other calls have left: rooms that ended.
  void post(PeerShards& peers);

  // What other shards must know of this one before they hear or see anything else that comes of a
  // call.
  ShardStats figures() {
    return {.rooms = roster_.rooms().size(),
            .members = roster_.members().size(),
            .roster_version = roster_.version(),
            .greeting = requests_.greeting_part()};
  }

  // The network said that nobody listens at `destination` (ICMP port unreachable).
  virtual void on_unreachable(TimeMs now_ms, const Endpoint& destination, Outbox& out);

  // Removes members that have been silent for too long, and those who were banned, and tells those
  // with protocol v2 where logs end in which nothing has been said for a while. If not all could be
  // removed in one call, next_deadline() has passed already: send, clear, and call again.
  virtual void on_deadline(TimeMs now_ms, Outbox& out);
  std::optional<TimeMs> next_deadline() const {
    if (ban_sweep_.is_pending()) return 0;
    return earliest(membership_.next_deadline(), dispatcher_.next_deadline());
  }

  // What an operator may ask for. Nobody is let in from here on, and members are told so:
  void start_drain();
  bool is_draining() const { return room_service_.is_draining(); }
  // Limits that hold for members, too, who are there already. Sizes stay (Limits::with_sizes_of).
  void set_limits(const Limits& limits);
  const Limits& limits() const { return config_.limits; }
  const RelayConfig& config() const { return config_; }
  // False: there is no such room, or no such member in it.
  bool close_room(std::string_view room);
  // Who is banned from here on, instead of those before. Members whom it hits are removed in the
  // turns that follow (next_deadline() has passed), and told the reason.
  void set_bans(BanListPointer bans);
  bool kick(TimeMs now_ms, std::string_view room, std::string_view username, Outbox& out);

  // For another relay that is to go on in place of this one. What waits in rooms goes along. First
  // this must have returned true, and what was put into the outbox must have been sent: members
  // that have gone get what is left for them. False: `out` is full; send, clear, call again.
  virtual bool prepare_snapshot(Outbox& out);
  RelaySnapshot snapshot() const;
  // Goes on where another relay has ended: with the same shard, map of shards and clock. To be
  // called first, once. An error says what is not sound or does not fit; then this relay is of no
  // use.
  tl::expected<void, std::string> restore(const RelaySnapshot& snapshot);

  // Tells everyone that it is over. False: `out` is full; send, clear, and call again.
  virtual bool disconnect_all(Outbox& out) { return membership_.disconnect_all(out); }

  // What has happened to rooms since somebody last cleared this.
  RoomEvents& room_events() { return events_; }

  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  RelayHistograms& histograms() { return histograms_; }
  const RelayHistograms& histograms() const { return histograms_; }
  const Roster& roster() const { return roster_; }

 private:
  void take_datagram(TimeMs now_ms, const ReceivedDatagram& datagram, Outbox& out);
  void take_v1_datagram(TimeMs now_ms, const Endpoint& from, std::size_t datagram_bytes,
                        const ClientDatagram& datagram, Outbox& out);
  // The member that a datagram proves to come from, or the reason why it does not.
  tl::expected<std::uint32_t, Counter> authenticate(const Endpoint& from,
                                                    const ClientDatagram& datagram);
  void take_message(TimeMs now_ms, std::uint32_t sender, const Endpoint& from,
                    std::string_view payload, Outbox& out);
  bool may_read_beyond_rate(TimeMs now_ms, Member& member, std::string_view payload);
  void refuse_message(TimeMs now_ms, std::uint32_t sender, const Endpoint& from, Outbox& out);
  bool accept_address(std::uint32_t member, const Endpoint& from);
  void answer_heartbeat(TimeMs now_ms, Member& member, const Endpoint& from,
                        std::string_view payload, Outbox& out);
  void answer_unauthenticated(TimeMs now_ms, const Endpoint& from, std::size_t datagram_bytes,
                              Outbox& out);

  RelayConfig config_;  // the parts hold references to its limits
  RandomStream random_;
  const KeyedHash::Key hash_key_;
  ResetKey reset_key_;
  Counters counters_;
  RelayHistograms histograms_;
  Roster roster_;
  AddressLimiter addresses_;
  QuotaReleases quota_releases_;
  RoomEvents events_;
  Dispatcher dispatcher_;
  Membership membership_;
  BanListPointer bans_;
  BanSweep ban_sweep_;
  Broadcast broadcast_;
  RoomService room_service_;
  RequestHandler requests_;
  PayloadReader payloads_;
  SourceAnswers answers_;
  SessionHandler sessions_;
};

}  // namespace chatd
