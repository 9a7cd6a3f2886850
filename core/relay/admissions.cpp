#include "core/relay/admissions.h"

#include <string>
#include <utility>

namespace chatd {
namespace {

tl::unexpected<Refusal> refuse(Status status, std::string_view message) {
  return tl::unexpected(Refusal{status, message});
}

tl::unexpected<Refusal> server_is_full() {
  return refuse(Status::kUnavailable, "the server is full");
}

}  // namespace

Admissions::Admissions(const Limits& limits, std::uint8_t shard, Roster& roster,
                       Membership& membership, RandomStream& random)
    : limits_(limits), shard_(shard), roster_(roster), membership_(membership), random_(random) {}

AdmissionOutcome Admissions::decide(TimeMs now_ms, const Neighbours& neighbours,
                                    AdmissionRequest request, Outbox& out) {
  const bool is_create = request.operation == Operation::kCreate;
  Admission admission =
      is_create ? create(now_ms, neighbours, request, out) : join(now_ms, neighbours, request, out);
  return {.operation = request.operation,
          .peer = request.peer,
          .room_is_counted = request.room_is_counted,
          .admission = admission};
}

Admission Admissions::create(TimeMs now_ms, const Neighbours& neighbours, AdmissionRequest& request,
                             Outbox& out) {
  if (roster_.find_room(request.room)) {
    return refuse(Status::kConflict, "a room of this name exists already");
  }
  if (!request.room_is_counted) {
    return refuse(Status::kTooMany, "too many rooms from your address: close one first");
  }
  const Total in_use = total(neighbours);
  if (in_use.rooms >= limits_.max_rooms) {
    return refuse(Status::kUnavailable, "the server has no room left for rooms");
  }
  if (in_use.members >= limits_.max_members) return server_is_full();

  Room room;
  room.name = std::move(request.room);
  room.password = Password(request.join.password, random_.next<Password::kSaltBytes>());
  room.creator = request.peer;
  room.sequence = neighbours.sequence;
  const std::uint32_t slot = membership_.open_room(std::move(room));
  const Token token = enter(now_ms, slot, request, out);
  roster_.rooms()[slot].host = token.slot();
  return token;
}

// The password is asked first: who does not know it learns nothing about the members.
Admission Admissions::join(TimeMs now_ms, const Neighbours& neighbours, AdmissionRequest& request,
                           Outbox& out) {
  const auto slot = roster_.find_room(request.room);
  if (!slot) return refuse(Status::kNotFound, "there is no room of this name");
  const Room& room = roster_.rooms()[*slot];
  if (!room.password.accepts(request.join.password)) {
    return refuse(Status::kUnauthorized, request.join.password.empty()
                                             ? "this room asks for a password"
                                             : "the password is wrong");
  }
  if (roster_.has_member(*slot, request.join.username)) {
    return refuse(Status::kConflict, "the username is taken in this room");
  }
  if (room.members.size() >= limits_.max_room_members) {
    return refuse(Status::kUnavailable, "this room is full");
  }
  if (total(neighbours).members >= limits_.max_members) return server_is_full();
  return enter(now_ms, *slot, request, out);
}

// TCP proves the peer's address. Only there may the member be bound at once; any other stated
// address could be a victim's, so nothing is sent until a datagram with the token has come from the
// peer's address.
Token Admissions::enter(TimeMs now_ms, std::uint32_t room, AdmissionRequest& request, Outbox& out) {
  const JoinRequest& join = request.join;
  const bool is_open = join.ip == IpAddress{};
  Endpoint endpoint;  // pending
  if ((is_open || join.ip == request.peer) && join.port != 0) endpoint = {request.peer, join.port};

  Member member;
  member.username = std::move(request.join.username);
  member.tcp_peer = request.peer;
  const std::uint32_t slot = membership_.admit(now_ms, room, std::move(member), endpoint, out);
  const Token token(shard_, slot, random_.next<kTokenSecretBytes>());
  roster_.members()[slot].token = token;
  return token;
}

// The limits are those of the whole server. Two shards that decide at the same moment may pass one
// by as much as there are shards; requests that come one after another find it exact.
Admissions::Total Admissions::total(const Neighbours& neighbours) const {
  Total total{.rooms = roster_.rooms().size(), .members = roster_.members().size()};
  for (std::size_t shard = 0; shard < neighbours.figures.size(); ++shard) {
    if (shard == shard_) continue;
    total.rooms += neighbours.figures[shard].rooms;
    total.members += neighbours.figures[shard].members;
  }
  return total;
}

}  // namespace chatd
