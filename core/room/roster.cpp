#include "core/room/roster.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/names.h"

namespace chatd {

namespace {

std::uint32_t share(std::uint32_t limit, std::uint32_t shard_count) {
  if (shard_count == 1) return limit;
  const std::uint32_t even = limit / shard_count + 1;
  return even + even / 4;
}

}  // namespace

std::uint64_t Roster::MemberKey::hash_with(const KeyedHash&) const {
  // SipHash has spread the name; an odd factor is enough to tell rooms apart.
  return name.value + std::uint64_t{room} * 0x9e37'79b9'7f4a'7c15u;
}

std::uint64_t Roster::RoomKey::hash_with(const KeyedHash&) const {
  return name.value;
}

std::uint64_t Roster::BoundTo::hash_with(const KeyedHash& hash) const {
  std::array<char, 18> bytes;
  const auto& ip = endpoint.ip.bytes();
  std::copy(ip.begin(), ip.end(), bytes.begin());
  bytes[16] = static_cast<char>(endpoint.port >> 8);
  bytes[17] = static_cast<char>(endpoint.port & 0xff);
  return hash({bytes.data(), bytes.size()});
}

Roster::Roster(const Limits& limits, const KeyedHash::Key& hash_key, std::uint32_t shard_count)
    : hash_(hash_key),
      rooms_(limits.max_rooms),
      groups_(rooms_, limits.max_rooms),
      members_(limits.max_members),
      room_by_name_(share(limits.max_rooms, shard_count), KeyedHash(hash_key), {&rooms_}),
      member_by_name_(share(limits.max_members, shard_count), KeyedHash(hash_key), {&members_}),
      member_by_endpoint_(share(limits.max_members, shard_count), KeyedHash(hash_key), {this}) {}

NameKey Roster::key_of(std::string_view name) const {
  return {hash_(folded_name(name))};
}

std::optional<std::uint32_t> Roster::add_room(Room room) {
  room.name_key = key_of(room.name);
  room.older = newest_room_;
  room.newer = kNoSlot;
  const auto slot = rooms_.insert(std::move(room));
  if (!slot) return std::nullopt;
  (newest_room_ == kNoSlot ? oldest_room_ : rooms_[newest_room_].newer) = *slot;
  newest_room_ = *slot;
  room_by_name_.make_room(rooms_.size());
  room_by_name_.insert(*slot);
  groups_.add(*slot, ++version_);
  return slot;
}

Roster::TakenRoom Roster::take_room(std::uint32_t slot) {
  TakenRoom taken;
  Room& room = rooms_[slot];
  taken.usernames.reserve(room.members.size());
  taken.ids.reserve(room.members.size());
  const std::uint32_t pending = room.pending_members;
  const std::uint32_t pending_v2 = room.pending_v2;
  for (const std::uint32_t member : room.members) {
    unlink_endpoint(member);
    member_by_name_.erase(member);
    taken.usernames.push_back(std::move(members_[member].username));
    taken.ids.push_back(members_[member].id);
    members_.erase(member);
  }
  room.pending_members = pending;  // as its array still says
  room.pending_v2 = pending_v2;
  room_by_name_.erase(slot);
  groups_.remove(slot, ++version_);
  (room.older == kNoSlot ? oldest_room_ : rooms_[room.older].newer) = room.newer;
  (room.newer == kNoSlot ? newest_room_ : rooms_[room.newer].older) = room.older;
  taken.room = std::move(room);
  rooms_.erase(slot);
  return taken;
}

std::optional<std::uint32_t> Roster::find_room(std::string_view name) const {
  return room_by_name_.find({key_of(name)});
}

std::optional<std::uint32_t> Roster::add_member(std::uint32_t room_slot, Member member,
                                                const Endpoint& endpoint,
                                                std::unique_ptr<Session> session) {
  member.room = room_slot;
  member.name_key = key_of(member.username);
  const auto slot = members_.insert(std::move(member));
  if (!slot) return std::nullopt;
  RoomLog& log = rooms_[room_slot].log;
  if (endpoint.port != 0 && session == nullptr) log.add_reader();
  place_member(*slot, endpoint, log.head(), std::move(session));
  return slot;
}

bool Roster::restore_member(std::uint32_t slot, std::uint32_t room, Member member,
                            const Endpoint& endpoint, std::uint64_t cursor,
                            std::unique_ptr<Session> session) {
  member.room = room;
  member.name_key = key_of(member.username);
  if (!members_.insert_at(slot, std::move(member))) return false;
  place_member(slot, endpoint, cursor, std::move(session));
  return true;
}

// At the end; a member with protocol v1 then changes places with the first one with protocol v2.
void Roster::place_member(std::uint32_t slot, const Endpoint& endpoint, std::uint64_t cursor,
                          std::unique_ptr<Session> session) {
  Member& member = members_[slot];
  Room& room = rooms_[member.room];
  const bool is_v2 = session != nullptr;
  member.position = room.size();
  room.members.push_back(slot);
  room.endpoints.push_back(endpoint);
  room.cursors.push_back(cursor);
  if (is_v2 || !room.sessions.empty()) {
    room.sessions.resize(room.members.size());
    room.sessions.back() = std::move(session);
  }
  if (is_v2) {
    ++v2_members_;
  } else {
    swap_positions(room, member.position, room.first_v2++);
  }
  member_by_name_.make_room(members_.size());
  member_by_endpoint_.make_room(members_.size());  // whether it is bound now or by a datagram
  member_by_name_.insert(slot);
  link_endpoint(slot);
  groups_.touch(member.room, ++version_);
}

void Roster::remove_member(std::uint32_t slot) {
  unlink_endpoint(slot);
  member_by_name_.erase(slot);
  const Member& member = members_[slot];
  Room& room = rooms_[member.room];
  // The last one takes the empty place, of those with its protocol and then of all, so that the
  // arrays stay dense.
  if (room.is_v2(member.position)) {
    --v2_members_;
  } else {
    swap_positions(room, member.position, --room.first_v2);
  }
  swap_positions(room, member.position, room.size() - 1);
  room.members.pop_back();
  room.endpoints.pop_back();
  room.cursors.pop_back();
  if (!room.sessions.empty()) room.sessions.pop_back();
  groups_.touch(member.room, ++version_);
  members_.erase(slot);
}

void Roster::swap_positions(Room& room, std::uint32_t a, std::uint32_t b) {
  if (a == b) return;
  std::swap(room.members[a], room.members[b]);
  std::swap(room.endpoints[a], room.endpoints[b]);
  std::swap(room.cursors[a], room.cursors[b]);
  if (!room.sessions.empty()) std::swap(room.sessions[a], room.sessions[b]);
  members_[room.members[a]].position = a;
  members_[room.members[b]].position = b;
}

// Who was pending begins to read now: what was said before was counted as dropped for it. One with
// protocol v2 gets that as well, as far as the room keeps it.
void Roster::bind_member(std::uint32_t slot, const Endpoint& endpoint) {
  const Member& member = members_[slot];
  Room& room = rooms_[member.room];
  const bool was_pending = !room.is_bound(member.position);
  if (was_pending && !room.is_v2(member.position)) return seat_member(slot, endpoint);
  place_at(slot, endpoint);
  if (was_pending && room.cursors[member.position] < room.log.head()) ++room.v2_behind;
}

void Roster::seat_member(std::uint32_t slot, const Endpoint& endpoint) {
  const Member& member = members_[slot];
  Room& room = rooms_[member.room];
  room.cursors[member.position] = room.log.head();
  if (endpoint.port != 0) room.log.add_reader();
  place_at(slot, endpoint);
}

void Roster::seat_v2_member(std::uint32_t slot, std::unique_ptr<Session> session) {
  const Member& member = members_[slot];
  Room& room = rooms_[member.room];
  room.cursors[member.position] = room.log.head();
  room.sessions[member.position] = std::move(session);
  place_at(slot, {});
}

void Roster::place_at(std::uint32_t slot, const Endpoint& endpoint) {
  const Member& member = members_[slot];
  Room& room = rooms_[member.room];
  unlink_endpoint(slot);
  room.endpoints[member.position] = endpoint;
  link_endpoint(slot);
}

std::optional<std::uint32_t> Roster::find_member(std::uint32_t room,
                                                 std::string_view username) const {
  return member_by_name_.find({room, key_of(username)});
}

std::optional<std::uint32_t> Roster::find_bound(const Endpoint& endpoint) const {
  return member_by_endpoint_.find({endpoint});
}

void Roster::link_endpoint(std::uint32_t slot) {
  Member& member = members_[slot];
  const Endpoint& endpoint = endpoint_of(member);
  if (endpoint.port == 0) {
    ++pending_of(rooms_[member.room], member);
    ++pending_members_;
    return;
  }
  const auto first = find_bound(endpoint);
  if (!first) {
    member_by_endpoint_.insert(slot);
    return;
  }
  // Second in the list: the first is the one that the index names.
  Member& head = members_[*first];
  member.previous_at_endpoint = *first;
  member.next_at_endpoint = head.next_at_endpoint;
  if (head.next_at_endpoint != kNoSlot) members_[head.next_at_endpoint].previous_at_endpoint = slot;
  head.next_at_endpoint = slot;
}

void Roster::unlink_endpoint(std::uint32_t slot) {
  Member& member = members_[slot];
  if (endpoint_of(member).port == 0) {
    --pending_of(rooms_[member.room], member);
    --pending_members_;
    return;
  }
  const std::uint32_t next = member.next_at_endpoint;
  const std::uint32_t previous = member.previous_at_endpoint;
  if (next != kNoSlot) members_[next].previous_at_endpoint = previous;
  if (previous != kNoSlot) {
    members_[previous].next_at_endpoint = next;
  } else {
    member_by_endpoint_.erase(slot);
    if (next != kNoSlot) member_by_endpoint_.insert(next);
  }
  member.next_at_endpoint = kNoSlot;
  member.previous_at_endpoint = kNoSlot;
}

}  // namespace chatd
