// Who is in which room, and where: the relay's data, without its manners (those are Membership's).
// Rooms and members lie in pools and are named by slot; three indexes find them by name, by room
// and username, and by endpoint. Names are found as people see them (core/base/names.h), whatever
// their spelling. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/slot_index.h"
#include "core/base/slot_pool.h"
#include "core/room/member.h"
#include "core/room/room.h"
#include "core/room/room_groups.h"

namespace chatd {

class Roster {
 public:
  // The limits are those of all shards together. Any of them may come to have everything, but each
  // starts with indexes for its share and a little more: their memory is touched when it is
  // reserved, unlike that of the pools. A join that makes them grow takes longer, by some 100 ns
  // for each member that is there.
  Roster(const Limits& limits, const KeyedHash::Key& hash_key, std::uint32_t shard_count = 1);
  Roster(const Roster&) = delete;  // the indexes point at the pools
  Roster& operator=(const Roster&) = delete;

  // The slot, or nothing when the pool is full. No room may have a name that looks the same. The
  // newest room of all.
  std::optional<std::uint32_t> add_room(Room room);
  // Takes a room out with all its members: they are nobody's any more, but for their names. The
  // room's arrays stay as they are.
  struct TakenRoom {
    Room room;
    std::vector<std::string> usernames;  // in step with Room::members
    std::vector<v2::MemberId> ids;       // the same
  };
  TakenRoom take_room(std::uint32_t room);
  std::optional<std::uint32_t> find_room(std::string_view name) const;

  // The slot of whoever is added next: a member's token names it.
  std::uint32_t next_member_slot() const { return members_.next_slot(); }
  // The slot, or nothing when the pool is full. Nobody in that room may have a username that looks
  // the same. An endpoint with port 0 makes a pending member.
  // With a session it is one with protocol v2.
  std::optional<std::uint32_t> add_member(std::uint32_t room, Member member,
                                          const Endpoint& endpoint,
                                          std::unique_ptr<Session> session = nullptr);
  // The same in a slot that is given, for members who are known already by it
  // (core/relay/restore.h): in ascending order, into an empty roster. False when the slot cannot be
  // had.
  bool restore_member(std::uint32_t slot, std::uint32_t room, Member member,
                      const Endpoint& endpoint, std::uint64_t cursor,
                      std::unique_ptr<Session> session = nullptr);
  void remove_member(std::uint32_t member);
  void bind_member(std::uint32_t member, const Endpoint& endpoint);
  // The same for one that does not read any more (Dispatcher::remove_reader): it begins afresh,
  // when the endpoint is known.
  void seat_member(std::uint32_t member, const Endpoint& endpoint);
  // The same for one with protocol v2, under a new session: where it is now is not known yet.
  void seat_v2_member(std::uint32_t member, std::unique_ptr<Session> session);
  // It is where it was, and speaks to another of our addresses.
  void speak_via(std::uint32_t member, std::uint16_t via) {
    room_of(members_[member]).endpoints[members_[member].position].via = via;
  }
  std::optional<std::uint32_t> find_member(std::uint32_t room, std::string_view username) const;
  // The first member bound to this endpoint; the others follow by next_at_endpoint.
  std::optional<std::uint32_t> find_bound(const Endpoint& endpoint) const;

  // Where the list of all rooms begins and ends; Room::newer and Room::older lead on. kNoSlot
  // without rooms.
  std::uint32_t oldest_room() const { return oldest_room_; }
  std::uint32_t newest_room() const { return newest_room_; }

  SlotPool<Room>& rooms() { return rooms_; }
  const SlotPool<Room>& rooms() const { return rooms_; }
  // The same rooms in the same order, in groups, with what has changed.
  RoomGroups& groups() { return groups_; }
  const RoomGroups& groups() const { return groups_; }

  SlotPool<Member>& members() { return members_; }
  const SlotPool<Member>& members() const { return members_; }

  Room& room_of(const Member& member) { return rooms_[member.room]; }
  const Endpoint& endpoint_of(const Member& member) const {
    return rooms_[member.room].endpoints[member.position];
  }

  // Whether it is known where this member is.
  bool is_bound(std::uint32_t member) const { return endpoint_of(members_[member]).port != 0; }
  // Of a member with protocol v2; nothing for others.
  Session* session_of(const Member& member) const {
    const auto& sessions = rooms_[member.room].sessions;
    return sessions.empty() ? nullptr : sessions[member.position].get();
  }

  // Of one that has one.
  Session& v2_session_of(const Member& member) {
    return *rooms_[member.room].sessions[member.position];
  }

  // Members whose address is not known yet, of all rooms.
  std::uint32_t pending_members() const { return pending_members_; }
  // Members with protocol v2.
  std::uint32_t v2_members() const { return v2_members_; }

  // Changes with every arrival and departure: what was made from the roster is stale when this has
  // moved.
  std::uint64_t version() const { return version_; }

 private:
  struct MemberKey {
    std::uint32_t room;
    NameKey name;
    bool operator==(const MemberKey&) const = default;
    std::uint64_t hash_with(const KeyedHash& hash) const;
  };
  struct RoomKey {
    NameKey name;
    bool operator==(const RoomKey&) const = default;
    std::uint64_t hash_with(const KeyedHash& hash) const;
  };
  struct BoundTo {
    Endpoint endpoint;
    bool operator==(const BoundTo&) const = default;
    std::uint64_t hash_with(const KeyedHash& hash) const;
  };
  struct KeyOfRoom {
    const SlotPool<Room>* rooms;
    RoomKey operator()(std::uint32_t slot) const { return {(*rooms)[slot].name_key}; }
  };
  struct KeyOfMember {
    const SlotPool<Member>* members;
    MemberKey operator()(std::uint32_t slot) const {
      return {(*members)[slot].room, (*members)[slot].name_key};
    }
  };
  struct EndpointOfMember {
    const Roster* roster;
    BoundTo operator()(std::uint32_t slot) const {
      return {roster->endpoint_of(roster->members_[slot])};
    }
  };

  NameKey key_of(std::string_view name) const;
  void place_member(std::uint32_t member, const Endpoint& endpoint, std::uint64_t cursor,
                    std::unique_ptr<Session> session);
  void swap_positions(Room& room, std::uint32_t a, std::uint32_t b);
  static std::uint32_t& pending_of(Room& room, const Member& member) {
    return room.is_v2(member.position) ? room.pending_v2 : room.pending_members;
  }
  void place_at(std::uint32_t member, const Endpoint& endpoint);
  void link_endpoint(std::uint32_t member);
  void unlink_endpoint(std::uint32_t member);

  const KeyedHash hash_;
  SlotPool<Room> rooms_;
  RoomGroups groups_;
  SlotPool<Member> members_;
  std::uint32_t oldest_room_ = kNoSlot;
  std::uint32_t newest_room_ = kNoSlot;
  SlotIndex<RoomKey, KeyOfRoom> room_by_name_;
  SlotIndex<MemberKey, KeyOfMember> member_by_name_;
  SlotIndex<BoundTo, EndpointOfMember> member_by_endpoint_;
  std::uint32_t pending_members_ = 0;
  std::uint32_t v2_members_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace chatd
