// The model's view of the control plane: who is let in.
#include <algorithm>
#include <utility>

#include "tests/sim/model.h"

namespace chatd::sim {

std::optional<int> Model::on_request(TimeMs now_ms, std::uint8_t shard, Ask& ask) {
  const bool may_ask = addresses_.may_ask(now_ms, ask.host);
  int status = 0;
  if (!may_ask) {
    world_.seen.saw(Sight::kTold429Requests);
    ++expected(shard, Counter::kRequestsOverLimit);
    status = 429;
  } else if (ask.kind == Ask::Kind::kBadFrame || ask.kind == Ask::Kind::kBadContent) {
    status = 400;
  } else if (ask.kind == Ask::Kind::kList) {
    ++expected(shard, Counter::kRequestsCompleted);
    return 200;
  }
  if (status != 0) {
    ++expected(shard, Counter::kRequestsRefused);
    return status;
  }
  if (ask.kind == Ask::Kind::kCreate && ask.seat == kNobody) {
    ask.room_is_counted = addresses_.may_open_room(ask.host);
    if (ask.room_is_counted) addresses_.open_room(ask.host);
  }
  return std::nullopt;
}

Model::Admission Model::on_admission(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  now_ms_ = now_ms;
  const bool is_create = ask.kind == Ask::Kind::kCreate;
  if (is_draining_) world_.seen.saw(Sight::kTold503Draining);
  const int status = is_draining_          ? 503
                     : ask.seat != kNobody ? seat_status(now_ms, ask, was_kept_back)
                     : is_create           ? create_status(ask)
                                           : join_status(now_ms, ask, was_kept_back);
  world_.note(Step::kEnters, ask.name, ask.room, static_cast<std::uint64_t>(status));
  if (status != 201) return {.status = status, .member = kNobody};
  if (ask.seat != kNobody) {
    take_seat(now_ms, ask);
    return {.status = status, .member = ask.seat};
  }

  ModelRoom& room = roll_.rooms[ask.room];
  if (is_create) {
    room.exists = true;
    room.creator_host = ask.host;
    room.password = ask.password;
    room.notices = {};
    room.accepted = 0;
    ++rooms_;
    ++expected(room.shard, Counter::kRoomsCreated);
  } else {
  }
  const Membership& member = enter(now_ms, ask);
  if (is_create) room.host = member.number;
  return {.status = status, .member = member.number};
}

// A token is for one seat, under its name, in its room; who asks to create is its host.
int Model::seat_status(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  const ModelRoom& room = roll_.rooms[ask.room];
  if (!room.exists) return 404;
  const int refusal = password_status(now_ms, ask, was_kept_back);
  if (refusal != 0) return refusal;
  const Membership* const seat = roll_.find(ask.seat);
  const bool is_right = seat != nullptr && seat->is_in && seat->room == ask.room &&
                        seat->name == ask.name &&
                        (ask.kind == Ask::Kind::kJoin || room.host == ask.seat);
  return is_right ? 201 : 404;
}

void Model::leave_place(MemberNumber number) {
  const MemberNumber before = roll_.add(roll_[number].room).number;
  Membership& there = roll_[before];
  Membership& member = roll_[number];
  std::erase(roll_.rooms[member.room].members, before);
  there.is_in = false;
  there.shard = member.shard;
  there.name = member.name;
  there.host = member.host;
  there.port = std::exchange(member.port, kNoPort);
  std::swap(there.debts, member.debts);
  std::swap(there.first_debt, member.first_debt);
  std::replace(at_port_[there.port].begin(), at_port_[there.port].end(), number, before);
  gone_.push_back(before);
  tell(there);
}

// Its member is here now, and no longer where it was: what it had still to get goes there, and that
// it is out.
void Model::take_seat(TimeMs now_ms, const Ask& ask) {
  world_.seen.saw(Sight::kSeatTaken);
  const std::uint32_t before = roll_[ask.seat].port;
  if (before != ask.port && before != kNoPort) leave_place(ask.seat);
  Membership& member = roll_[ask.seat];
  if (before != ask.port && ask.port != kNoPort) bind(member, ask.port);
  member.host = ask.host;
  member.last_heard_ms = now_ms;
  member.refusals = 0;
  ++expected(member.shard, Counter::kMembersReturned);
}

// The room that is there under a name that looks like this one's; this one when there is none.
std::uint32_t Model::standing(std::uint32_t room) const {
  for (std::uint32_t other = 0; other < roll_.rooms.size(); ++other) {
    if (roll_.rooms[other].exists && world_.room_looks[other] == world_.room_looks[room]) {
      return other;
    }
  }
  return room;
}

int Model::create_status(const Ask& ask) const {
  if (roll_.rooms[standing(ask.room)].exists) return 409;
  if (!ask.room_is_counted) {
    world_.seen.saw(Sight::kTold429Rooms);
    return 429;
  }
  if (rooms_ >= limits_.max_rooms) {
    world_.seen.saw(Sight::kTold503Rooms);
    return 503;
  }
  if (members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

int Model::join_status(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  const ModelRoom& room = roll_.rooms[ask.room];
  if (!room.exists) return 404;
  const int refusal = password_status(now_ms, ask, was_kept_back);
  if (refusal != 0) return refusal;
  if (is_name_taken(room, ask.name)) return 409;
  if (room.members.size() >= limits_.max_room_members) {
    world_.seen.saw(Sight::kTold503RoomMembers);
    return 503;
  }
  if (members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

// 0: the password is no obstacle.
int Model::password_status(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  const ModelRoom& room = roll_.rooms[ask.room];
  if (room.password == 0) return 0;
  if (ask.password == 0) return 401;
  const bool may_guess = addresses_.may_guess(now_ms, ask.host, ask.room);
  if (!may_guess || was_kept_back) {
    if (may_guess && !addresses_.has_another_guessed(now_ms, ask.host, ask.room)) {
      world_.fail("a password was not looked at, though nobody has guessed");
    }
    world_.seen.saw(Sight::kTold429Passwords);
    ++expected(room.shard, Counter::kPasswordAttemptsOverLimit);
    return 429;
  }
  if (room.password == ask.password) return 0;
  addresses_.guessed_wrong(now_ms, ask.host, ask.room);
  ++expected(room.shard, Counter::kPasswordsWrong);
  return 401;
}

bool Model::is_name_taken(const ModelRoom& room, std::uint32_t name) const {
  return std::any_of(room.members.begin(), room.members.end(), [&](MemberNumber number) {
    return world_.client_looks[roll_[number].name] == world_.client_looks[name];
  });
}

Membership& Model::enter(TimeMs now_ms, const Ask& ask) {
  Membership& member = roll_.add(ask.room);
  const std::uint8_t shard = roll_.rooms[ask.room].shard;
  member.shard = shard;
  member.name = ask.name;
  member.host = ask.host;
  member.last_heard_ms = now_ms;
  if (ask.port != kNoPort) bind(member, ask.port);
  ++members_;
  ++expected(shard, Counter::kMembersJoined);
  nobody_expires_before_ms_[shard] =
      std::min(nobody_expires_before_ms_[shard], now_ms + limits_.idle_timeout_ms);
  tell_others(Notice::kJoined, member);
  return member;
}

void Model::on_outcome(std::uint8_t shard, const Ask& ask, int status) {
  ++expected(shard, status == 201 ? Counter::kRequestsCompleted : Counter::kRequestsRefused);
  if (status != 201 && ask.room_is_counted) addresses_.close_room(ask.host);
}

void Model::on_room_ended(const IpAddress& creator) {
  for (std::uint32_t host = 0; host < world_.hosts.size(); ++host) {
    if (world_.hosts[host].ip == creator) return addresses_.close_room(host);
  }
  world_.fail("a shard was told that a room has ended whose creator is nobody");
}

}  // namespace chatd::sim
