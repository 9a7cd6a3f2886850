#include "core/control/request_handler.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/names.h"

namespace chatd {
namespace {

tl::unexpected<RequestError> bad_request(std::string_view message) {
  return tl::unexpected(RequestError{Status::kBadRequest, message});
}

}  // namespace

RequestHandler::RequestHandler(const Limits& limits, const LocalEndpoints& local_endpoints,
                               std::uint8_t shard, const ShardMap& shards, Roster& roster,
                               RoomService& room_service, AddressLimiter& addresses,
                               Counters& counters, const ServedPorts& ports)
    : limits_(limits),
      own_sockets_(local_endpoints),
      shard_(shard),
      shards_(shards),
      room_service_(room_service),
      addresses_(addresses),
      counters_(counters),
      ports_(ports),
      lists_(roster, shard, shards.count()),
      greeter_(roster, shard, shards.count()) {}

const std::array<RequestHandler::OperationSpec, 3> RequestHandler::kOperations{{
    {Operation::kCreate, "creates", true, &RequestHandler::enter_room},
    {Operation::kJoin, "joins", true, &RequestHandler::enter_room},
    {Operation::kList, "lists", false, &RequestHandler::list_rooms},
}};

const RequestHandler::OperationSpec* RequestHandler::spec_of(const FrameView& frame) {
  if (!frame.is(FrameState::kRequest)) return nullptr;
  const auto* const spec = std::ranges::find_if(
      kOperations, [&frame](const OperationSpec& each) { return frame.is(each.operation); });
  return spec != kOperations.end() ? spec : nullptr;
}

bool RequestHandler::is_acknowledged(const FrameView& frame) {
  const OperationSpec* const spec = spec_of(frame);
  return spec != nullptr && spec->is_acknowledged;
}

// "unknown operation: 1 creates, 2 joins, 3 lists"
std::string_view RequestHandler::unknown_operation() {
  static const std::string kMessage = [] {
    std::string text = "unknown operation";
    for (const OperationSpec& each : kOperations) {
      text += &each == kOperations.data() ? ": " : ", ";
      text += std::to_string(static_cast<unsigned>(each.operation)) + ' ' + std::string(each.verb);
    }
    return text;
  }();
  return kMessage;
}

bool RequestHandler::handle(const Context& context, const Request& request, std::string& reply) {
  const FrameView& frame = request.frame;
  const OperationSpec* const spec = spec_of(frame);
  if (spec != nullptr && spec->is_acknowledged) append_accepted(reply, frame.operation);
  // Each costs one, good or bad.
  if (!addresses_.allow_request(context.now_ms, request.peer)) {
    counters_.add(Counter::kRequestsOverLimit);
    refuse(frame.operation,
           {Status::kTooMany, "too many requests from your address: try again later"}, reply);
  } else if (spec != nullptr) {
    return (this->*spec->handler)(context, request, reply);
  } else if (!frame.is(FrameState::kRequest)) {
    refuse(frame.operation, {Status::kBadRequest, "a request has State 0"}, reply);
  } else {
    refuse(frame.operation, {Status::kBadRequest, unknown_operation()}, reply);
  }
  return true;
}

bool RequestHandler::list_rooms(const Context& context, const Request& request,
                                std::string& reply) {
  if (!addresses_.allow_list(context.now_ms, request.peer, lists_.size_bytes())) {
    counters_.add(Counter::kRequestsOverLimit);
    refuse(request.frame.operation,
           {Status::kTooMany,
            "your address has been sent long room lists lately: ask for the next one later "
            "(creating and joining rooms goes on)"},
           reply);
    return true;
  }
  counters_.add(Counter::kRequestsCompleted);
  lists_.ask(request.from);
  return false;
}

// Create and join. A new room is counted against its creator's address before the owner is asked,
// so that requests under way at the same time cannot pass the limit together; a refusal gives it
// back. Who comes back to its seat opens none.
bool RequestHandler::enter_room(const Context& context, const Request& request,
                                std::string& reply) {
  auto command = read_join(request);
  if (!command) {
    refuse(request.frame.operation, command.error(), reply);
    return true;
  }
  if (command->operation == Operation::kCreate && !command->join.token) {
    command->room_is_counted = addresses_.open_room(context.now_ms, command->peer);
  }
  const std::uint8_t owner = shards_.of_room(command->room);
  if (shards_.count() == 1 || owner == shard_) {
    complete(room_service_.enter(context, std::move(*command)), reply);
    return true;
  }
  context.peers.post(owner, JoinForward{.from = request.from, .command = std::move(*command)});
  return false;
}

tl::expected<JoinCommand, RequestError> RequestHandler::read_join(const Request& request) {
  const FrameView& frame = request.frame;
  if (!is_valid_name(frame.room)) {
    return bad_request(
        "room name: 1 to 255 bytes of UTF-8 with something to see and no control characters");
  }
  auto join = reader_.read(frame.payload);
  if (!join) return bad_request(join.error());
  if (join->protocol == 2 && !request.from.is_encrypted) return bad_request(needs_tls());
  if (own_sockets_.contains({join->ip, join->port}) ||
      (join->ip == IpAddress{} && own_sockets_.contains({request.peer, join->port}))) {
    return bad_request("ip and port: this is the server's own socket");
  }
  return JoinCommand{
      .operation = frame.is(Operation::kCreate) ? Operation::kCreate : Operation::kJoin,
      .room = std::string(frame.room),
      .join = std::move(*join),
      .peer = request.peer,
      .via = request.from.via};
}

// The keys of protocol v2 travel in the answer.
std::string_view RequestHandler::needs_tls() {
  if (ports_.tls == 0) {
    return "protocol 2 needs a connection with TLS, which this server does not serve";
  }
  if (needs_tls_.empty()) {
    needs_tls_ = "protocol 2 needs a connection with TLS: this server's is on port " +
                 std::to_string(ports_.tls);
  }
  return needs_tls_;
}

void RequestHandler::complete(const JoinResult& result, std::string& reply) {
  const auto operation = static_cast<std::uint8_t>(result.operation);
  if (!result.admission) {
    if (result.room_is_counted) addresses_.release_room(result.peer);
    return refuse(operation, result.admission.error(), reply);
  }
  counters_.add(Counter::kRequestsCompleted);
  const std::string_view message = result.took_seat                         ? "seat taken again"
                                   : result.operation == Operation::kCreate ? "room created"
                                                                            : "room joined";
  const Admission& admission = *result.admission;
  if (admission.session == nullptr) {
    return append_admitted(reply, operation, message, admission.token.hex(),
                           limits_.idle_timeout_ms);
  }
  append_admitted_v2(reply, operation, message, admission.token.hex(), limits_.idle_timeout_ms,
                     *admission.session, ports_.udp);
}

void RequestHandler::refuse(std::uint8_t operation, const RequestError& error, std::string& reply) {
  counters_.add(Counter::kRequestsRefused);
  if (error.detail.empty()) {
    return append_outcome(reply, operation, error.status, error.message);
  }
  append_outcome(reply, operation, error.status, std::string(error.message) + ": " + error.detail);
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

void RequestHandler::on_shard_message(const Context& context, ShardMessage&& message) {
  const Overloaded open{
      [&](JoinForward&& asked) {
        context.peers.post(asked.from.shard, JoinReply{.to = asked.from,
                                                       .result = room_service_.enter(
                                                           context, std::move(asked.command))});
      },
      [&](const JoinReply& answered) {
        std::string frames;
        complete(answered.result, frames);
        context.peers.replies.push_back(
            {.to = answered.to, .frames = std::move(frames), .list = {}});
      },
      [&](const ListQuery& wanted) { lists_.on_shard_message(wanted); },
      [&](ListReply&& part) { lists_.on_shard_message(std::move(part)); },
      [&](const QuotaRelease& ended) { addresses_.release_room(ended.creator); },
  };
  std::visit(open, std::move(message));
}

}  // namespace chatd
