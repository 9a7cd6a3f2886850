// One shard's port to the group of shards: wraps the relay's calls that concern other shards, so
// that what goes into them is as of now, and what comes out reaches whom it is for. Thread: the
// shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/control/peer_shards.h"
#include "core/relay/relay.h"
#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "core/wire/received_datagram.h"
#include "server/group/shard_group.h"

namespace chatd {

class ShardPort {
 public:
  ShardPort(ShardGroup& group, std::uint8_t shard, Relay& relay);

  std::uint8_t shard() const { return shard_; }
  ShardGroup& group() { return group_; }

  // As in Relay. What the calls leave for connections is in replies() until the next call.
  bool ask(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer, const FrameView& frame,
           std::string& reply, Outbox& out);
  void greet(std::string& reply);
  void write_lists(TimeMs now_ms);
  bool has_lists_to_write(TimeMs now_ms) const { return relay_.has_lists_to_write(now_ms); }
  std::optional<TimeMs> lists_deadline() const { return relay_.lists_deadline(); }
  std::optional<TimeMs> lists_wait_since() const { return relay_.lists_wait_since(); }
  bool open_connection(TimeMs now_ms, const IpAddress& peer) {
    return relay_.open_connection(now_ms, peer);
  }
  void release_connection(const IpAddress& peer) { relay_.release_connection(peer); }
  void on_shard_message(TimeMs now_ms, ShardMessage&& message, Outbox& out);
  std::vector<PeerShards::Reply>& replies() { return peers_.replies; }

  // To be called before anything goes out that other calls of the relay have led to.
  void publish();

  // Datagrams whose token names another shard go there. Those that are left are in front then, in
  // their order. The kernel steers datagrams, so this is for what it did not steer right.
  std::span<ReceivedDatagram> hand_over(std::span<ReceivedDatagram> batch);

  // Somebody's port refuses (ICMP): members of any shard may be there.
  void tell_refusal(const Endpoint& destination);

  int event_fd() { return mailbox().event_fd(); }
  Mailbox& mailbox() { return group_.mailbox(shard_); }

 private:
  void begin();
  bool is_elsewhere(const ReceivedDatagram& datagram) const;
  void hand_over(const ReceivedDatagram& datagram);

  ShardGroup& group_;
  std::uint8_t shard_;
  Relay& relay_;
  PeerShards peers_;
  std::uint64_t published_version_ = 0;
};

}  // namespace chatd
