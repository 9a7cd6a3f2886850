#include "core/relay/restore.h"

#include <algorithm>
#include <cstddef>
#include <memory>
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

SessionSnapshot snapshot_of(const Session& session, const Endpoint& endpoint) {
  return {.id = session.id.value(),
          .ip = endpoint.ip,
          .cipher = session.cipher,
          .send_key = session.send_key.bytes(),
          .receive_key = session.receive_key.bytes(),
          .send_key_epoch = session.send_key.epoch(),
          .receive_key_epoch = session.receive_key.epoch(),
          .next_packet = session.next_packet,
          .received_next = session.received.next(),
          .received = session.received.words(),
          .newest_say = session.says.newest(),
          .taken_says = session.says.taken(),
          .refused_says = session.says.refused(),
          .complete = session.complete,
          .first_readable = session.first_readable};
}

std::unique_ptr<Session> restored(const SessionSnapshot& snapshot) {
  auto session = std::make_unique<Session>();
  session->id = v2::SessionId(snapshot.id);
  session->cipher = snapshot.cipher;
  session->send_key = PacketKey(snapshot.send_key, snapshot.send_key_epoch);
  session->receive_key = PacketKey(snapshot.receive_key, snapshot.receive_key_epoch);
  session->next_packet = snapshot.next_packet;
  session->received.restore(snapshot.received_next, snapshot.received);
  session->says.restore(snapshot.newest_say, snapshot.taken_says, snapshot.refused_says);
  session->complete = snapshot.complete;
  session->first_readable = snapshot.first_readable;
  return session;
}

MemberSnapshot snapshot_of(const Member& member, const Room& room) {
  const std::uint32_t position = member.position;
  const bool is_v2 = room.is_v2(position);
  // One with protocol v2 may wait for what is gone: it is told so.
  const std::uint64_t cursor =
      is_v2 ? room.cursors[position] : room.log.position(room.cursors[position]);
  MemberSnapshot snapshot{.token = member.token,
                          .username = member.username,
                          .tcp_peer = member.tcp_peer,
                          .port = room.endpoints[position].port,
                          .via = room.endpoints[position].via,
                          .last_heard_ms = member.last_heard_ms,
                          .unreachable_count = member.unreachable_count,
                          .behind = static_cast<std::uint32_t>(room.log.head() - cursor),
                          .id = member.id};
  if (is_v2) snapshot.session = snapshot_of(*room.sessions[position], room.endpoints[position]);
  return snapshot;
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

bool is_sound(const EntrySnapshot& entry) {
  if (entry.client_number > v2::kMaxVarint) return false;
  switch (entry.kind) {
    case v2::EntryKind::kSaid:
      return entry.payload.size() <= (entry.content_type == v2::ContentType::kV1Payload
                                          ? kMaxDatagramBytes
                                          : v2::kMaxSayBytes);
    case v2::EntryKind::kJoined:
    case v2::EntryKind::kLeft:
      return is_valid_name(entry.payload) && entry.content_type == v2::ContentType::kText;
  }
  return false;
}

// Cursors stand within the log, and entries are such as a member or the server can have said.
tl::expected<void, std::string> check_log(const RoomSnapshot& room) {
  if (room.first_entry == 0 || head_of(room) < room.first_entry || head_of(room) > v2::kMaxVarint) {
    return Fault("a room's entries have no numbers");
  }
  if (room.entries.size() > kMaxWaitingMessages + kMaxHistoryEntries) {
    return Fault("too much waits in a room");
  }
  if (!std::all_of(room.entries.begin(), room.entries.end(), is_sound)) {
    return Fault("an entry of a room is too large, or of no kind that is known");
  }
  for (const MemberSnapshot& member : room.members) {
    if (member.behind > (member.session ? head_of(room) - 1 : room.entries.size())) {
      return Fault("a member waits for more than there is");
    }
  }
  return {};
}

// Each has an id of its own, below the one that comes next.
tl::expected<void, std::string> check_ids(const RoomSnapshot& room) {
  std::vector<v2::MemberId> ids;
  for (const MemberSnapshot& member : room.members) ids.push_back(member.id);
  std::sort(ids.begin(), ids.end());
  const bool are_sound = !ids.empty() && ids.front() != v2::kServerId &&
                         ids.back() < room.next_member_id &&
                         std::adjacent_find(ids.begin(), ids.end()) == ids.end();
  if (!are_sound) return Fault("members of a room have no ids of their own");
  return {};
}

tl::expected<void, std::string> check_session(const MemberSnapshot& member, std::uint8_t shard) {
  const SessionSnapshot& session = *member.session;
  const v2::SessionId id(session.id);
  if (id.shard() != shard || id.slot() != member.token.slot()) {
    return Fault("a session is not its member's");
  }
  const bool is_known =
      session.cipher == Cipher::kAes256Gcm || session.cipher == Cipher::kChaCha20Poly1305;
  const bool has_sound_key = session.next_packet == 0 ||
                             PacketKey::epoch_of(session.next_packet - 1) <= session.send_key_epoch;
  if (!is_known || !has_sound_key) return Fault("a session has no sound key");
  return {};
}

tl::expected<std::uint32_t, std::string> restore_room(const RoomSnapshot& snapshot,
                                                      Roster& roster) {
  if (!is_valid_name(snapshot.name)) return Fault("a room has no valid name");
  if (roster.find_room(snapshot.name)) return Fault("two rooms have names that look the same");
  if (!has_host(snapshot)) return Fault("a room has no host");
  if (const auto log = check_log(snapshot); !log) return Fault(log.error());
  if (const auto ids = check_ids(snapshot); !ids) return Fault(ids.error());
  Room room;
  room.name = snapshot.name;
  room.password = snapshot.password;
  room.creator = snapshot.creator;
  room.creation_order = snapshot.creation_order;
  room.host = snapshot.host;
  room.next_member_id = snapshot.next_member_id;
  room.history_entries = snapshot.history_entries;
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
  member.id = snapshot.id;
  std::unique_ptr<Session> session;
  IpAddress ip = snapshot.tcp_peer;
  if (snapshot.session) {
    if (auto sound = check_session(snapshot, shard); !sound) return sound;
    session = restored(*snapshot.session);
    ip = snapshot.session->ip;
  }
  Endpoint endpoint;  // pending
  if (snapshot.port != 0) endpoint = {ip, snapshot.port, snapshot.via};
  if (roster.restore_member(snapshot.token.slot(), place.room, std::move(member), endpoint,
                            place.cursor, std::move(session))) {
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
    snapshot.next_member_id = room.next_member_id;
    snapshot.history_entries = room.history_entries;
    snapshot.keeps_entries = room.log.keeps();
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
