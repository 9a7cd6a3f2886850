// What must come of what an operator asks for.
#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/sim/model.h"

namespace chatd::sim {
bool Model::on_kick(TimeMs now_ms, std::uint8_t shard, std::uint32_t room, std::uint32_t name) {
  now_ms_ = now_ms;
  const ModelRoom& there = members_.rooms[standing(room)];
  if (!there.exists || there.shard != shard) return false;
  for (const MemberNumber number : there.members) {
    Membership& member = members_[number];
    if (world_.client_looks[member.name] != world_.client_looks[name]) continue;
    world_.seen.saw(Sight::kKick);
    go(member, Counter::kMembersKicked);
    tell(member);
    return true;
  }
  world_.seen.saw(Sight::kKickNobody);
  return false;
}

bool Model::on_close_room(std::uint8_t shard, std::uint32_t room) {
  room = standing(room);
  if (!members_.rooms[room].exists || members_.rooms[room].shard != shard) return false;
  world_.seen.saw(Sight::kCloseRoom);
  end_room(room);
  return true;
}

// New rates are for everybody who was under the old ones; what a room may announce goes on.
void Model::on_new_limits(const Limits& old) {
  std::fill(nobody_expires_before_ms_.begin(), nobody_expires_before_ms_.end(), 0);
  for (ModelRoom& room : members_.rooms) {
    if (room.log) room.log->keep(limits_.history_entries, limits_.history_bytes);
  }
  if (limits_.abuse == old.abuse) return;
  reset_limits();
  addresses_.forgive_requests();
}

void Model::reset_limits() {
  for (const ModelRoom& room : members_.rooms) {
    for (const MemberNumber number : room.members) {
      Membership& member = members_[number];
      member.payloads = member.bytes = member.warnings = {};
    }
  }
}

// Each room is told when its turn comes, and who is there then.
void Model::on_drain() {
  is_draining_ = true;
  expected_.begin_notice();
  const MessageId draining = notice_id(Notice::kDraining, "");
  for (ModelRoom& room : members_.rooms) {
    if (!room.exists) continue;
    room.may_hear_of_drain = true;
    room.will_log_the_drain = room.log != nullptr;
    ++room.accepted;
    for (const MemberNumber number : room.members) {
      Membership& member = members_[number];
      if (member.port != kNoPort) owe(member, draining, ExpectedDelivery::Certainty::kIfThere);
    }
  }
}

bool Model::is_drain_notice(std::string_view datagram) {
  return datagram == notice_text(Notice::kDraining, "");
}

// Members notice nothing, but that all may be spent afresh. Those who had gone have got by now all
// that had not given way: what they are still owed is lost. Of several members at an endpoint the
// new relay has learnt in the order of their slots.
// By now it has got everything, but for what has given way.
void Model::settle_gone(Membership& gone) {
  if (gone.port != kNoPort) {
    for (const MemberNumber number : at_port_[gone.port]) {
      Membership& other = members_[number];
      const bool is_of_its_room = other.is_in && !other.is_sealed && other.room == gone.room &&
                                  other.creation == gone.creation;
      const MessageId has_come = notice_id(Notice::kJoined, world_.client_names[other.name]);
      if (is_of_its_room) expected_.hand_on(gone, other, has_come);
    }
  }
  expected_.write_off(gone);
}

void Model::on_hot_restart() {
  reset_limits();
  addresses_.forgive_all();
  for (const SealedSession* const session : ended_sessions_) {
    if (session->state == SealedSession::State::kOver) continue;
    world_.fail("a server goes on elsewhere, and somebody was not told that its room is over");
  }
  ended_sessions_.clear();
  sessions_.for_each([](SealedSession& session) {
    session.answers = {};
    session.probe.reset();
    session.mtu = {};
    session.heads = 0;
  });
  std::vector<MemberNumber> everybody;
  for (ModelRoom& room : members_.rooms) {
    room.notices = {};
    if (room.log) room.log->on_hot_restart(limits_.history_entries, limits_.history_bytes);
    everybody.insert(everybody.end(), room.members.begin(), room.members.end());
  }
  std::sort(everybody.begin(), everybody.end(), [&](MemberNumber a, MemberNumber b) {
    return members_[a].token.slot() < members_[b].token.slot();
  });
  for (const MemberNumber number : gone_) settle_gone(members_[number]);
  at_port_.clear();
  gone_.clear();
  for (const MemberNumber number : everybody) {
    if (members_[number].port != kNoPort) list_at_port(members_[number]);
  }
}

}  // namespace chatd::sim
