// What must come of what an operator asks for.
#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/sim/model.h"

namespace chatd::sim {
namespace {

constexpr std::string_view kDrainNotice{
    "\0\0{\"sender\":\"Server\",\"message\":\"This server is about to stop: please finish here "
    "and meet elsewhere\"}",
    101};

bool is_less(const Endpoint& a, const Endpoint& b) {
  return a.port != b.port ? a.port < b.port : a.ip.bytes() < b.ip.bytes();
}

}  // namespace

bool Model::on_kick(TimeMs now_ms, std::uint8_t shard, std::uint32_t room, std::uint32_t name) {
  now_ms_ = now_ms;
  const ModelRoom& there = roll_.rooms[room];
  if (!there.exists || there.shard != shard) return false;
  for (const MemberNumber number : there.members) {
    Membership& member = roll_[number];
    if (member.name != name) continue;
    world_.seen.saw(Sight::kKick);
    tell(member);
    go(member, Counter::kMembersKicked);
    return true;
  }
  world_.seen.saw(Sight::kKickNobody);
  return false;
}

bool Model::on_close_room(std::uint8_t shard, std::uint32_t room) {
  if (!roll_.rooms[room].exists || roll_.rooms[room].shard != shard) return false;
  world_.seen.saw(Sight::kCloseRoom);
  end_room(room);
  return true;
}

// New rates are for everybody who was under the old ones; what a room may announce goes on.
void Model::on_new_limits(const Limits& old) {
  std::fill(nobody_expires_before_ms_.begin(), nobody_expires_before_ms_.end(), 0);
  if (limits_.abuse == old.abuse) return;
  forgive_members();
  addresses_.forgive_requests();
}

void Model::forgive_members() {
  for (const ModelRoom& room : roll_.rooms) {
    for (const MemberNumber number : room.members) {
      Membership& member = roll_[number];
      member.messages = member.bytes = member.warnings = {};
    }
  }
}

void Model::on_drain() {
  is_draining_ = true;
  for (ModelRoom& room : roll_.rooms)
    room.must_hear_of_drain = room.may_hear_of_drain = room.exists;
}

bool Model::is_drain_notice(std::string_view datagram) {
  return datagram == kDrainNotice;
}

bool Model::has_exactly(const ModelRoom& room, std::span<const Endpoint> endpoints) const {
  std::vector<Endpoint> wanted;
  for (const MemberNumber number : room.members) {
    if (roll_[number].port != kNoPort) wanted.push_back(endpoint_of(roll_[number]));
  }
  std::vector<Endpoint> given(endpoints.begin(), endpoints.end());
  std::sort(wanted.begin(), wanted.end(), is_less);
  std::sort(given.begin(), given.end(), is_less);
  return wanted == given;
}

bool Model::can_hear(const ModelRoom& room) const {
  return std::any_of(room.members.begin(), room.members.end(),
                     [&](MemberNumber number) { return roll_[number].port != kNoPort; });
}

// Rooms whose members share their endpoints cannot be told apart: then it is for one of them, and
// what was said there before is not held against it.
bool Model::on_drain_notice(std::uint8_t shard, std::span<const Endpoint> destinations) {
  if (destinations.empty()) return is_draining_;  // nobody hears it
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t i = 0; i < roll_.rooms.size(); ++i) {
    const ModelRoom& room = roll_.rooms[i];
    if (room.exists && room.shard == shard && room.may_hear_of_drain &&
        has_exactly(room, destinations)) {
      candidates.push_back(i);
    }
  }
  if (!is_draining_ || candidates.empty()) return false;
  ModelRoom& room = roll_.rooms[candidates.front()];
  room.must_hear_of_drain = room.may_hear_of_drain = false;
  if (candidates.size() > 1) return true;
  settle(candidates.front());
  expected(shard, Counter::kNoticesDropped) += room.members.size() - destinations.size();
  return true;
}

// Nothing waits any more: who could hear it has heard it, and who comes later need not.
void Model::check_all_are_told(std::uint8_t shard) {
  for (ModelRoom& room : roll_.rooms) {
    if (room.shard != shard) continue;
    if (room.exists && room.must_hear_of_drain && can_hear(room)) {
      world_.fail("a room was not told that the server drains");
    }
    room.must_hear_of_drain = room.may_hear_of_drain = false;
  }
}

// Members notice nothing, but that all may be spent afresh. Of several members at an endpoint the
// new relay has learnt in the order of their slots.
void Model::on_hot_restart() {
  forgive_members();
  addresses_.forgive_all();
  std::vector<MemberNumber> everybody;
  for (ModelRoom& room : roll_.rooms) {
    room.notices = {};
    everybody.insert(everybody.end(), room.members.begin(), room.members.end());
  }
  std::sort(everybody.begin(), everybody.end(), [&](MemberNumber a, MemberNumber b) {
    return roll_[a].token.slot() < roll_[b].token.slot();
  });
  at_port_.clear();
  for (const MemberNumber number : everybody) {
    if (roll_[number].port != kNoPort) list_at_port(roll_[number]);
  }
}

}  // namespace chatd::sim
