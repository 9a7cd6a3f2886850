#include "core/relay/request_handler.h"

#include <utility>

#include "core/relay/listing.h"
#include "core/wire/names.h"

namespace chatd {

RequestHandler::RequestHandler(const Limits& limits, std::uint8_t shard,
                               const OwnSockets& own_sockets, Roster& roster,
                               Membership& membership, AddressLimiter& addresses,
                               Counters& counters, RandomStream& random)
    : limits_(limits),
      shard_(shard),
      own_sockets_(own_sockets),
      roster_(roster),
      membership_(membership),
      addresses_(addresses),
      counters_(counters),
      random_(random) {}

void RequestHandler::handle(TimeMs now_ms, const IpAddress& peer, const FrameView& frame,
                            std::string& reply, Outbox& out) {
  const bool is_allowed = addresses_.allow_request(now_ms, peer);  // each costs one, good or bad
  if (!frame.is(FrameState::kRequest)) {
    return refuse(frame, {Status::kBadRequest, "a request has State 0"}, reply);
  }
  const bool is_admission = frame.is(Operation::kCreate) || frame.is(Operation::kJoin);
  if (!is_admission && !frame.is(Operation::kList)) {
    return refuse(frame, {Status::kBadRequest, "unknown operation: 1 creates, 2 joins, 3 lists"},
                  reply);
  }
  if (is_admission) append_accepted(reply, frame.operation);
  if (!is_allowed) {
    return refuse(frame, {Status::kTooMany, "too many requests from your address: try again later"},
                  reply);
  }
  if (!is_admission) {
    counters_.add(Counter::kRequestsCompleted);
    append_frame(reply, Operation::kList, FrameState::kCompleted, "", room_list());
    return;
  }
  const Admission admission = create_or_join(now_ms, peer, frame, out);
  if (!admission) return refuse(frame, admission.error(), reply);
  counters_.add(Counter::kRequestsCompleted);
  append_admitted(reply, frame.operation,
                  frame.is(Operation::kCreate) ? "room created" : "room joined", admission->hex());
}

const std::string& RequestHandler::room_list() {
  if (room_list_version_ != roster_.version()) {
    room_list_ = list_rooms(roster_);
    room_list_version_ = roster_.version();
  }
  return room_list_;
}

void RequestHandler::refuse(const FrameView& frame, const Refusal& refusal, std::string& reply) {
  counters_.add(Counter::kRequestsRefused);
  append_outcome(reply, frame.operation, refusal.status, refusal.message);
}

RequestHandler::Admission RequestHandler::create_or_join(TimeMs now_ms, const IpAddress& peer,
                                                         const FrameView& frame, Outbox& out) {
  if (!is_valid_name(frame.room)) {
    return tl::unexpected(Refusal{Status::kBadRequest,
                                  "room name: 1 to 255 bytes of UTF-8 without control characters"});
  }
  auto request = reader_.read(frame.payload);
  if (!request) return tl::unexpected(Refusal{Status::kBadRequest, request.error()});
  if (own_sockets_.contains({request->ip, request->port}) ||
      (request->ip == IpAddress{} && own_sockets_.contains({peer, request->port}))) {
    return tl::unexpected(
        Refusal{Status::kBadRequest, "ip and port: this is the server's own socket"});
  }
  return frame.is(Operation::kCreate) ? create(now_ms, peer, frame.room, std::move(*request), out)
                                      : join(now_ms, peer, frame.room, std::move(*request), out);
}

RequestHandler::Admission RequestHandler::create(TimeMs now_ms, const IpAddress& peer,
                                                 std::string_view name, JoinRequest request,
                                                 Outbox& out) {
  if (roster_.find_room(name)) {
    return tl::unexpected(Refusal{Status::kConflict, "a room of this name exists already"});
  }
  if (!addresses_.may_open_room(peer)) {
    return tl::unexpected(
        Refusal{Status::kTooMany, "too many rooms from your address: close one first"});
  }
  const Password password(request.password, random_.next<Password::kSaltBytes>());
  const auto room = membership_.open_room(now_ms, name, password, peer);
  if (!room) {
    return tl::unexpected(Refusal{Status::kUnavailable, "the server has no room left for rooms"});
  }
  Admission admission = enter(now_ms, peer, *room, std::move(request), out);
  if (!admission) {
    membership_.close_room(*room, out);
    return admission;
  }
  roster_.rooms()[*room].host = admission->slot();
  return admission;
}

// The password is asked first: who does not know it learns nothing about the members.
RequestHandler::Admission RequestHandler::join(TimeMs now_ms, const IpAddress& peer,
                                               std::string_view name, JoinRequest request,
                                               Outbox& out) {
  const auto slot = roster_.find_room(name);
  if (!slot) return tl::unexpected(Refusal{Status::kNotFound, "there is no room of this name"});
  const Room& room = roster_.rooms()[*slot];
  if (!room.password.accepts(request.password)) {
    return tl::unexpected(Refusal{Status::kUnauthorized, request.password.empty()
                                                             ? "this room asks for a password"
                                                             : "the password is wrong"});
  }
  if (roster_.has_member(*slot, request.username)) {
    return tl::unexpected(Refusal{Status::kConflict, "the username is taken in this room"});
  }
  if (room.members.size() >= limits_.max_room_members) {
    return tl::unexpected(Refusal{Status::kUnavailable, "this room is full"});
  }
  return enter(now_ms, peer, *slot, std::move(request), out);
}

// TCP proves the peer's address. Only there may the member be bound at once; any other stated
// address could be a victim's, so nothing is sent until a datagram with the token has come from the
// peer's address.
RequestHandler::Admission RequestHandler::enter(TimeMs now_ms, const IpAddress& peer,
                                                std::uint32_t room, JoinRequest request,
                                                Outbox& out) {
  const bool is_open = request.ip == IpAddress{};
  Endpoint endpoint;  // pending
  if ((is_open || request.ip == peer) && request.port != 0) endpoint = {peer, request.port};

  Member member;
  member.username = std::move(request.username);
  member.tcp_peer = peer;
  const auto slot = membership_.admit(now_ms, room, std::move(member), endpoint, out);
  if (!slot) return tl::unexpected(Refusal{Status::kUnavailable, "the server is full"});
  const Token token(shard_, *slot, random_.next<kTokenSecretBytes>());
  roster_.members()[*slot].token = token;
  return token;
}

}  // namespace chatd
