// The control plane: a whole TCRP frame in, the answer's frames out. What it can be asked for is
// one table, kOperations: create, join, list.
//
// A request has two sides. What is the connection's is done here, on the connection's shard: the
// frame's form, what the peer's address may ask for, the answer. What is the room's is done where
// the room lives (core/control/room_service.h). If that is another shard, a shard message goes
// there, and the rest of the answer follows when the outcome comes back. Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "core/base/limits.h"
#include "core/base/shard_map.h"
#include "core/control/context.h"
#include "core/control/greeting.h"
#include "core/control/join_command.h"
#include "core/control/peer_shards.h"
#include "core/control/room_list_cache.h"
#include "core/control/room_service.h"
#include "core/control/session_answer.h"
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
  RequestHandler(const Limits& limits, const LocalEndpoints& local_endpoints, std::uint8_t shard,
                 const ShardMap& shards, Roster& roster, RoomService& room_service,
                 AddressLimiter& addresses, Counters& counters, const ServedPorts& ports);

  // A frame that has come on a connection whose other end is `peer`.
  struct Request {
    const ConnectionId& from;
    const IpAddress& peer;
    const FrameView& frame;
  };
  // Appends the answer to `reply`, or as much of it as is known by now (false): the rest follows in
  // the peers' replies, from a call of on_shard_message or of write_lists.
  bool handle(const Context& context, const Request& request, std::string& reply);
  // Whether the answer to this begins with 202, whatever comes of it.
  static bool is_acknowledged(const FrameView& frame);
  // The same as handle() for the frame that a new connection gets before it asks anything.
  void greet(const PeerShards& peers, std::string& reply) { greeter_.greet(peers, reply); }
  const std::shared_ptr<const GreetingPart>& greeting_part() { return greeter_.part(); }

  // What has to be done for lists that somebody waits for.
  RoomListCache& lists() { return lists_; }
  const RoomListCache& lists() const { return lists_; }

  void on_shard_message(const Context& context, ShardMessage&& message);

 private:
  // One operation: the number that asks for it, and what deals with it.
  struct OperationSpec {
    Operation operation;
    std::string_view verb;  // what it does, for the error that lists them all
    bool is_acknowledged;   // answered with 202 first, whatever comes of it
    bool (RequestHandler::*handler)(const Context& context, const Request& request,
                                    std::string& reply);
  };
  static const std::array<OperationSpec, 3> kOperations;
  static const OperationSpec* spec_of(const FrameView& frame);
  static std::string_view unknown_operation();

  bool enter_room(const Context& context, const Request& request, std::string& reply);
  bool list_rooms(const Context& context, const Request& request, std::string& reply);

  tl::expected<JoinCommand, RequestError> read_join(const Request& request);
  std::string_view needs_tls();
  void complete(const JoinResult& result, std::string& reply);
  void refuse(std::uint8_t operation, const RequestError& error, std::string& reply);

  const Limits& limits_;
  const LocalEndpoints& own_sockets_;
  std::uint8_t shard_;
  const ShardMap& shards_;
  RoomService& room_service_;
  AddressLimiter& addresses_;
  Counters& counters_;
  const ServedPorts& ports_;
  std::string needs_tls_;  // the error that says so, once it was needed
  JoinRequestReader reader_;
  RoomListCache lists_;
  Greeter greeter_;
};

}  // namespace chatd
