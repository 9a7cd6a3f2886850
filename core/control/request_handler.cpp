#include "core/control/request_handler.h"

#include <utility>
#include <variant>

#include "core/base/names.h"

namespace chatd {
namespace {

tl::unexpected<RequestError> bad_request(std::string_view message) {
  return tl::unexpected(RequestError{Status::kBadRequest, message});
}

}  // namespace

RequestHandler::RequestHandler(const Limits& limits, const OwnSockets& own_sockets,
                               std::uint8_t shard, const ShardMap& shards, Roster& roster,
                               RoomService& room_service, AddressLimiter& addresses,
                               Counters& counters)
    : limits_(limits),
      own_sockets_(own_sockets),
      shard_(shard),
      shards_(shards),
      room_service_(room_service),
      addresses_(addresses),
      counters_(counters),
      lists_(roster, shard, shards.count()),
      greeter_(roster, shard, shards.count()) {}

bool RequestHandler::answer(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                            const FrameView& frame, PeerShards& peers, std::string& reply,
                            Outbox& out) {
  const auto refuse_it = [&](Status status, std::string_view message) {
    refuse(frame.operation, {status, message}, reply);
    return true;
  };
  const bool is_request = frame.is(FrameState::kRequest);
  const bool is_admission =
      is_request && (frame.is(Operation::kCreate) || frame.is(Operation::kJoin));
  if (is_admission) append_accepted(reply, frame.operation);
  // Each costs one, good or bad.
  if (!addresses_.allow_request(now_ms, peer)) {
    counters_.add(Counter::kRequestsOverLimit);
    return refuse_it(Status::kTooMany, "too many requests from your address: try again later");
  }
  if (!is_request) return refuse_it(Status::kBadRequest, "a request has State 0");
  if (frame.is(Operation::kList)) {
    if (!addresses_.allow_list(now_ms, peer, lists_.size_bytes())) {
      counters_.add(Counter::kRequestsOverLimit);
      return refuse_it(Status::kTooMany,
                       "your address has been sent long room lists lately: ask for the next one "
                       "later (creating and joining rooms goes on)");
    }
    counters_.add(Counter::kRequestsCompleted);
    lists_.ask(from);
    return false;
  }
  if (!is_admission) {
    return refuse_it(Status::kBadRequest, "unknown operation: 1 creates, 2 joins, 3 lists");
  }
  auto request = read(peer, frame);
  if (!request) return refuse_it(request.error().status, request.error().message);
  request->via = from.via;
  return admit(now_ms, from, std::move(*request), peers, reply, out);
}

tl::expected<JoinCommand, RequestError> RequestHandler::read(const IpAddress& peer,
                                                             const FrameView& frame) {
  if (!is_valid_name(frame.room)) {
    return bad_request(
        "room name: 1 to 255 bytes of UTF-8 with something to see and no control characters");
  }
  auto join = reader_.read(frame.payload);
  if (!join) return bad_request(join.error());
  if (own_sockets_.contains({join->ip, join->port}) ||
      (join->ip == IpAddress{} && own_sockets_.contains({peer, join->port}))) {
    return bad_request("ip and port: this is the server's own socket");
  }
  return JoinCommand{
      .operation = frame.is(Operation::kCreate) ? Operation::kCreate : Operation::kJoin,
      .room = std::string(frame.room),
      .join = std::move(*join),
      .peer = peer};
}

// A new room is counted against its creator's address before the owner is asked, so that requests
// under way at the same time cannot pass the limit together; a refusal gives it back. Who comes
// back to its seat opens none.
bool RequestHandler::admit(TimeMs now_ms, const ConnectionId& from, JoinCommand request,
                           PeerShards& peers, std::string& reply, Outbox& out) {
  if (request.operation == Operation::kCreate && !request.join.token) {
    request.room_is_counted = addresses_.open_room(now_ms, request.peer);
  }
  const std::uint8_t owner = shards_.of_room(request.room);
  if (shards_.count() == 1 || owner == shard_) {
    complete(room_service_.decide(now_ms, peers, std::move(request), out), reply);
    return true;
  }
  peers.post(owner, JoinForward{.from = from, .request = std::move(request)});
  return false;
}

void RequestHandler::complete(const JoinResult& outcome, std::string& reply) {
  const auto operation = static_cast<std::uint8_t>(outcome.operation);
  if (!outcome.admission) {
    if (outcome.room_is_counted) addresses_.release_room(outcome.peer);
    return refuse(operation, outcome.admission.error(), reply);
  }
  counters_.add(Counter::kRequestsCompleted);
  const std::string_view message = outcome.took_seat                         ? "seat taken again"
                                   : outcome.operation == Operation::kCreate ? "room created"
                                                                             : "room joined";
  append_admitted(reply, operation, message, outcome.admission->hex(), limits_.idle_timeout_ms);
}

void RequestHandler::refuse(std::uint8_t operation, const RequestError& refusal,
                            std::string& reply) {
  counters_.add(Counter::kRequestsRefused);
  if (refusal.look_alike.empty()) {
    return append_outcome(reply, operation, refusal.status, refusal.message);
  }
  const std::string message = std::string(refusal.message) + ": \"" + refusal.look_alike + '"';
  append_outcome(reply, operation, refusal.status, message);
}

namespace {

// What to do with each kind of shard message, in one place.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

void RequestHandler::on_shard_message(TimeMs now_ms, ShardMessage&& message, PeerShards& peers,
                                      Outbox& out) {
  const Overloaded open{
      [&](JoinForward&& asked) {
        peers.post(asked.from.shard, JoinReply{.to = asked.from,
                                               .outcome = room_service_.decide(
                                                   now_ms, peers, std::move(asked.request), out)});
      },
      [&](const JoinReply& answered) {
        std::string frames;
        complete(answered.outcome, frames);
        peers.replies.push_back({.to = answered.to, .frames = std::move(frames), .list = {}});
      },
      [&](const ListQuery& wanted) { lists_.on_shard_message(wanted); },
      [&](ListReply&& part) { lists_.on_shard_message(std::move(part)); },
      [&](const QuotaRelease& ended) { addresses_.release_room(ended.creator); },
  };
  std::visit(open, std::move(message));
}

}  // namespace chatd
