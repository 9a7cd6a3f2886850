// The control plane: a whole TCRP frame in, the answer's frames out. Create, join, list.
//
// A request has two sides. What is the connection's is done here, on the connection's shard: the
// frame's form, what the peer's address may ask for, the answer. What is the room's is done where
// the room lives (core/control/room_service.h). If that is another shard, a shard message goes
// there, and the rest of the answer follows when the outcome comes back. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/limits.h"
#include "core/base/own_sockets.h"
#include "core/base/shard_map.h"
#include "core/control/greeter.h"
#include "core/control/join_command.h"
#include "core/control/peer_shards.h"
#include "core/control/room_list_cache.h"
#include "core/control/room_service.h"
#include "core/control/shard_message.h"
#include "core/ratelimit/address_limiter.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v1/status.h"

namespace chatd {

class RequestHandler {
 public:
  RequestHandler(const Limits& limits, const OwnSockets& own_sockets, std::uint8_t shard,
                 const ShardMap& shards, Roster& roster, RoomService& room_service,
                 AddressLimiter& addresses, Counters& counters);

  // Appends the answer to `reply`, or as much of it as is known by now (false): the rest follows in
  // `peers.replies`, from a call of on_shard_message or of write_lists.
  bool answer(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
              const FrameView& frame, PeerShards& peers, std::string& reply, Outbox& out);
  // The same for the frame that a new connection gets before it asks anything.
  void greet(const PeerShards& peers, std::string& reply) { greeter_.greet(peers, reply); }
  const std::shared_ptr<const GreetingPart>& greeting_part() { return greeter_.part(); }

  // What has to be done for lists that somebody waits for.
  RoomListCache& lists() { return lists_; }
  const RoomListCache& lists() const { return lists_; }

  void on_shard_message(TimeMs now_ms, ShardMessage&& message, PeerShards& peers, Outbox& out);

 private:
  tl::expected<JoinCommand, RequestError> read(const IpAddress& peer, const FrameView& frame);
  bool admit(TimeMs now_ms, const ConnectionId& from, JoinCommand request, PeerShards& peers,
             std::string& reply, Outbox& out);
  void complete(const JoinResult& outcome, std::string& reply);
  void refuse(std::uint8_t operation, const RequestError& refusal, std::string& reply);

  const Limits& limits_;
  const OwnSockets& own_sockets_;
  std::uint8_t shard_;
  const ShardMap& shards_;
  RoomService& room_service_;
  AddressLimiter& addresses_;
  Counters& counters_;
  JoinRequestReader reader_;
  RoomListCache lists_;
  Greeter greeter_;
};

}  // namespace chatd
