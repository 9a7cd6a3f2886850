#include "core/relay/restore.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/base/names.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

// A member, and the room that it goes into.
struct Place {
  const MemberSnapshot* member;
  std::uint32_t room;
  std::uint64_t cursor;
};

MemberSnapshot snapshot_of(const Member& member, const Room& room) {
  return {.token = member.token,
          .username = member.username,
          .tcp_peer = member.tcp_peer,
          .port = room.endpoints[member.position].port,
          .via = room.endpoints[member.position].via,
          .last_heard_ms = member.last_heard_ms,
          .unreachable_count = member.unreachable_count,
          .behind = static_cast<std::uint32_t>(room.log.head() -
                                               room.log.position(room.cursors[member.position]))};
}

Fault too_many(const char* what, std::size_t count, const char* flag, std::uint32_t limit) {
  return Fault("there are " + std::to_string(count) + " " + what + ", and " + flag + " is " +
               std::to_string(limit) + " now");
}

tl::expected<void, std::string> check_sizes(const std::vector<RoomSnapshot>& rooms,
                                            const Limits& limits) {
  if (rooms.size() > limits.max_rooms) {
    return too_many("rooms", rooms.size(), "--max-rooms", limits.max_rooms);
  }
  std::size_t members = 0;
  for (const RoomSnapshot& room : rooms) {
    members += room.members.size();
    if (room.members.size() <= limits.max_room_members) continue;
    return too_many("members in one room", room.members.size(), "--max-room-members",
                    limits.max_room_members);
  }
  if (members > limits.max_members) {
    return too_many("members", members, "--max-members", limits.max_members);
  }
  return {};
}

// A room without its host would have nobody to end with.
bool has_host(const RoomSnapshot& room) {
  return std::any_of(room.members.begin(), room.members.end(), [&](const MemberSnapshot& member) {
    return member.token.slot() == room.host;
  });
}

// The number of the entry that is to come.
std::uint64_t head_of(const RoomSnapshot& room) {
  return room.first_entry + room.entries.size();
}

// Cursors stand within the log, and entries are such as a member or the server can have said.
tl::expected<void, std::string> check_log(const RoomSnapshot& room) {
  if (head_of(room) < room.first_entry) return Fault("a room's entries have no numbers");
  if (room.entries.size() > kMaxWaitingMessages) return Fault("too much waits in a room");
  for (const EntrySnapshot& entry : room.entries) {
    if (entry.payload.size() > kMaxDatagramBytes) return Fault("an entry of a room is too large");
  }
  for (const MemberSnapshot& member : room.members) {
    if (member.behind > room.entries.size()) {
      return Fault("a member waits for more than there is");
    }
  }
  return {};
}

tl::expected<std::uint32_t, std::string> restore_room(const RoomSnapshot& snapshot,
                                                      Roster& roster) {
  if (!is_valid_name(snapshot.name)) return Fault("a room has no valid name");
  if (roster.find_room(snapshot.name)) return Fault("two rooms have names that look the same");
  if (!has_host(snapshot)) return Fault("a room has no host");
  if (const auto log = check_log(snapshot); !log) return Fault(log.error());
  Room room;
  room.name = snapshot.name;
  room.password = snapshot.password;
  room.creator = snapshot.creator;
  room.creation_order = snapshot.creation_order;
  room.host = snapshot.host;
  room.members.reserve(snapshot.members.size());
  room.endpoints.reserve(snapshot.members.size());
  room.cursors.reserve(snapshot.members.size());
  return roster.add_room(std::move(room)).value();  // sizes are checked
}

tl::expected<void, std::string> restore_member(const Place& place, std::uint8_t shard,
                                               Roster& roster) {
  const MemberSnapshot& snapshot = *place.member;
  if (snapshot.token.shard() != shard) return Fault("a member's token is of another shard");
  if (!is_valid_name(snapshot.username)) return Fault("a member has no valid name");
  if (!snapshot.tcp_peer.is_unicast()) {
    return Fault("a member's address is not that of one host");
  }
  if (roster.find_member(place.room, snapshot.username)) {
    return Fault("two members of a room have names that look the same");
  }
  Member member;
  member.username = snapshot.username;
  member.token = snapshot.token;
  member.tcp_peer = snapshot.tcp_peer;
  member.last_heard_ms = snapshot.last_heard_ms;
  member.unreachable_count = snapshot.unreachable_count;
  Endpoint endpoint;  // pending
  if (snapshot.port != 0) endpoint = {snapshot.tcp_peer, snapshot.port, snapshot.via};
  if (roster.restore_member(snapshot.token.slot(), place.room, std::move(member), endpoint,
                            place.cursor)) {
    return {};
  }
  return Fault("a member's slot (" + std::to_string(snapshot.token.slot()) +
               ") is taken, or beyond what --max-members allows now");
}

}  // namespace

std::vector<RoomSnapshot> snapshot_of(const Roster& roster) {
  std::vector<RoomSnapshot> rooms;
  rooms.reserve(roster.rooms().size());
  for (auto slot = roster.oldest_room(); slot != kNoSlot; slot = roster.rooms()[slot].newer) {
    const Room& room = roster.rooms()[slot];
    RoomSnapshot& snapshot = rooms.emplace_back();
    snapshot.name = room.name;
    snapshot.password = room.password;
    snapshot.creator = room.creator;
    snapshot.creation_order = room.creation_order;
    snapshot.host = room.host;
    for (const std::uint32_t member : room.members) {
      snapshot.members.push_back(snapshot_of(roster.members()[member], room));
    }
  }
  return rooms;
}

tl::expected<void, std::string> restore_roster(const std::vector<RoomSnapshot>& rooms,
                                               const Limits& limits, std::uint8_t shard,
                                               const ShardMap& shards, Roster& roster) {
  if (auto fits = check_sizes(rooms, limits); !fits) return fits;
  std::vector<Place> places;
  for (const RoomSnapshot& snapshot : rooms) {
    if (shards.count() > 1 && shards.of_room(snapshot.name) != shard) {
      return Fault("a room belongs to another shard");
    }
    const auto room = restore_room(snapshot, roster);
    if (!room) return Fault(room.error());
    for (const MemberSnapshot& member : snapshot.members) {
      places.push_back({&member, *room, head_of(snapshot) - member.behind});
    }
  }
  // Members keep their slots, for their tokens name them. Pools are filled from the first slot on.
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.member->token.slot() < b.member->token.slot();
  });
  for (const Place& place : places) {
    if (auto restored = restore_member(place, shard, roster); !restored) return restored;
  }
  return {};
}

}  // namespace chatd
