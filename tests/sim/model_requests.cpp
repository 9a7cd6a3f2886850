// The model's view of the control plane: who is let in.
#include <algorithm>
#include <utility>

#include "tests/sim/model.h"

namespace chatd::sim {

std::optional<int> Model::on_request(TimeMs now_ms, std::uint8_t shard, RequestSpec& spec) {
  const bool may_ask = addresses_.may_ask(now_ms, spec.host);
  int status = 0;
  if (!may_ask) {
    world_.seen.saw(Sight::kTold429Requests);
    ++expected(shard, Counter::kRequestsOverLimit);
    status = 429;
  } else if (spec.kind == RequestSpec::Kind::kBadFrame ||
             spec.kind == RequestSpec::Kind::kBadContent) {
    status = 400;
  } else if (spec.kind != RequestSpec::Kind::kList && spec.is_sealed && !spec.is_encrypted) {
    world_.seen.saw(Sight::kNeedsTls);
    status = 400;
  } else if (spec.kind == RequestSpec::Kind::kList) {
    ++expected(shard, Counter::kRequestsCompleted);
    return 200;
  }
  if (status != 0) {
    ++expected(shard, Counter::kRequestsRefused);
    return status;
  }
  if (spec.kind == RequestSpec::Kind::kCreate && spec.seat == kNobody) {
    spec.room_is_counted = addresses_.may_open_room(spec.host);
    if (spec.room_is_counted) addresses_.open_room(spec.host);
  }
  return std::nullopt;
}

Model::Admission Model::on_admission(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back) {
  now_ms_ = now_ms;
  const bool is_create = spec.kind == RequestSpec::Kind::kCreate;
  if (is_draining_) world_.seen.saw(Sight::kTold503Draining);
  const int status = is_draining_           ? 503
                     : spec.seat != kNobody ? seat_status(now_ms, spec, was_kept_back)
                     : is_create            ? create_status(spec)
                                            : join_status(now_ms, spec, was_kept_back);
  world_.note(Step::kEnters, spec.name, spec.room, static_cast<std::uint64_t>(status));
  if (status != 201) return {.status = status, .member = kNobody};
  if (spec.seat != kNobody) {
    take_seat(now_ms, spec);
    return {.status = status, .member = spec.seat};
  }

  ModelRoom& room = members_.rooms[spec.room];
  if (is_create) {
    room.exists = true;
    ++room.creations;
    room.creator_host = spec.host;
    room.password = spec.password;
    room.notices = {};
    room.accepted = 0;
    room.log.reset();
    room.next_member_id = 1;
    room.history = spec.is_sealed ? std::min(spec.history, limits_.history_entries) : 0;
    room.will_log_the_drain = false;
    if (room.history > 0) {
      room.log = std::make_shared<RoomLogModel>(1);
      room.log->keep(limits_.history_entries, limits_.history_bytes);
    }
    ++rooms_;
    ++expected(room.shard, Counter::kRoomsCreated);
  }
  const Membership& member = enter(now_ms, spec);
  if (is_create) room.host = member.number;
  return {.status = status, .member = member.number};
}

// A token is for one seat, under its name, in its room; who asks to create is its host.
int Model::seat_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back) {
  const ModelRoom& room = members_.rooms[spec.room];
  if (!room.exists) return 404;
  const int refusal = password_status(now_ms, spec, was_kept_back);
  if (refusal != 0) return refusal;
  const Membership* const seat = members_.find(spec.seat);
  const bool is_right = seat != nullptr && seat->is_in && seat->room == spec.room &&
                        seat->name == spec.name &&
                        (spec.kind == RequestSpec::Kind::kJoin || room.host == spec.seat);
  if (!is_right) return 404;
  return seat->is_sealed == spec.is_sealed ? 201 : 409;
}

void Model::leave_place(MemberNumber number) {
  const MemberNumber before = members_.add(members_[number].room).number;
  Membership& there = members_[before];
  Membership& member = members_[number];
  std::erase(members_.rooms[member.room].members, before);
  there.is_in = false;
  there.shard = member.shard;
  there.name = member.name;
  there.host = member.host;
  there.port = std::exchange(member.port, kNoPort);
  std::swap(there.expected, member.expected);
  std::swap(there.first_expected, member.first_expected);
  std::replace(at_port_[there.port].begin(), at_port_[there.port].end(), number, before);
  gone_.push_back(before);
  tell(there);
}

// Its member is here now, and no longer where it was: what it had still to get goes there, and that
// it is out.
void Model::take_seat(TimeMs now_ms, const RequestSpec& spec) {
  if (spec.is_sealed) return take_sealed_seat(now_ms, spec);
  world_.seen.saw(Sight::kSeatTaken);
  const std::uint32_t before = members_[spec.seat].port;
  if (before != spec.port && before != kNoPort) leave_place(spec.seat);
  Membership& member = members_[spec.seat];
  if (before != spec.port && spec.port != kNoPort) bind(member, spec.port);
  member.host = spec.host;
  member.last_heard_ms = now_ms;
  member.refusals = 0;
  ++expected(member.shard, Counter::kMembersReturned);
}

// The room that is there under a name that looks like this one's; this one when there is none.
std::uint32_t Model::standing(std::uint32_t room) const {
  for (std::uint32_t other = 0; other < members_.rooms.size(); ++other) {
    if (members_.rooms[other].exists && world_.room_looks[other] == world_.room_looks[room]) {
      return other;
    }
  }
  return room;
}

int Model::create_status(const RequestSpec& spec) const {
  if (members_.rooms[standing(spec.room)].exists) return 409;
  if (!spec.room_is_counted) {
    world_.seen.saw(Sight::kTold429Rooms);
    return 429;
  }
  if (rooms_ + stale_rooms_ >= limits_.max_rooms) {
    world_.seen.saw(Sight::kTold503Rooms);
    return 503;
  }
  if (member_count_ + stale_members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

int Model::join_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back) {
  const ModelRoom& room = members_.rooms[spec.room];
  if (!room.exists) return 404;
  const int refusal = password_status(now_ms, spec, was_kept_back);
  if (refusal != 0) return refusal;
  if (is_name_taken(room, spec.name)) return 409;
  if (room.members.size() >= limits_.max_room_members) {
    world_.seen.saw(Sight::kTold503RoomMembers);
    return 503;
  }
  if (member_count_ + stale_members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

// 0: the password is no obstacle.
int Model::password_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back) {
  const ModelRoom& room = members_.rooms[spec.room];
  if (room.password == 0) return 0;
  if (spec.password == 0) return 401;
  const bool may_guess = addresses_.may_guess(now_ms, spec.host, spec.room);
  if (!may_guess || was_kept_back) {
    if (may_guess && !addresses_.has_another_guessed(now_ms, spec.host, spec.room)) {
      world_.fail("a password was not looked at, though nobody has guessed");
    }
    world_.seen.saw(Sight::kTold429Passwords);
    ++expected(room.shard, Counter::kPasswordAttemptsOverLimit);
    return 429;
  }
  if (room.password == spec.password) return 0;
  addresses_.guessed_wrong(now_ms, spec.host, spec.room);
  ++expected(room.shard, Counter::kPasswordsWrong);
  return 401;
}

bool Model::is_name_taken(const ModelRoom& room, std::uint32_t name) const {
  return std::any_of(room.members.begin(), room.members.end(), [&](MemberNumber number) {
    return world_.client_looks[members_[number].name] == world_.client_looks[name];
  });
}

Membership& Model::enter(TimeMs now_ms, const RequestSpec& spec) {
  Membership& member = members_.add(spec.room);
  const std::uint8_t shard = members_.rooms[spec.room].shard;
  member.shard = shard;
  member.name = spec.name;
  member.host = spec.host;
  member.last_heard_ms = now_ms;
  ModelRoom& room = members_.rooms[spec.room];
  member.id = room.next_member_id++;
  member.is_sealed = spec.is_sealed;
  member.came_at = room.log ? room.log->head() : 0;
  if (spec.port != kNoPort && !spec.is_sealed) bind(member, spec.port);
  ++member_count_;
  ++expected(shard, Counter::kMembersJoined);
  nobody_expires_before_ms_[shard] =
      std::min(nobody_expires_before_ms_[shard], now_ms + limits_.idle_timeout_ms);
  tell_others(Notice::kJoined, member);
  return member;
}

void Model::on_outcome(std::uint8_t shard, const RequestSpec& spec, int status) {
  ++expected(shard, status == 201 ? Counter::kRequestsCompleted : Counter::kRequestsRefused);
  if (status != 201 && spec.room_is_counted) addresses_.close_room(spec.host);
}

void Model::on_room_ended(const IpAddress& creator) {
  for (std::uint32_t host = 0; host < world_.hosts.size(); ++host) {
    if (world_.hosts[host].ip == creator) return addresses_.close_room(host);
  }
  world_.fail("a shard was told that a room has ended whose creator is nobody");
}

}  // namespace chatd::sim
