// The rooms of a roster in the order of their creation, cut into groups of neighbours, so that what
// is written about all rooms can be written group by group and kept: a change concerns the text of
// its own group and no other (core/control/list_writer.h).
//
// A group has at most kMaxRooms rooms, and a new room goes to the newest group. As rooms end,
// groups shrink; whoever writes a small one merges it with a neighbour, and one without rooms is
// gone at once. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/slot_pool.h"
#include "core/room/room.h"
#include "core/room/room_list.h"

namespace chatd {

class RoomGroups {
 public:
  static constexpr std::uint32_t kMaxRooms = 64;

  struct Group {
    std::uint32_t first_room = kNoSlot;  // Room::newer leads to the others
    std::uint32_t rooms = 0;
    std::uint32_t older = kNoSlot;
    std::uint32_t newer = kNoSlot;
    bool has_changed = false;                  // since it was written
    std::shared_ptr<const ListChunk> chunk{};  // what was written; nothing at first
  };

  // When a room was made, and when it last changed: versions of the roster, which never come twice.
  struct Stamps {
    std::uint64_t created = 0;
    std::uint64_t changed = 0;
  };

  // `rooms` is the pool that the slots are of; the room's place in the order is looked up there.
  RoomGroups(const SlotPool<Room>& rooms, std::uint32_t capacity)
      : rooms_(rooms), groups_(capacity) {}

  // To be called after the newest room has found its place in the order, before a room loses it,
  // and when what is told about a room has changed.
  void add(std::uint32_t room, std::uint64_t version);
  void remove(std::uint32_t room, std::uint64_t version);
  void touch(std::uint32_t room, std::uint64_t version);

  const Stamps& stamps(std::uint32_t room) const { return places_[room].stamps; }

  // For whoever writes groups. A number may be that of another group by the time it is read.
  std::vector<std::uint32_t> take_changed() { return std::exchange(changed_, {}); }
  bool contains(std::uint32_t group) const { return groups_.contains(group); }
  Group& operator[](std::uint32_t group) { return groups_[group]; }
  const Group& operator[](std::uint32_t group) const { return groups_[group]; }
  std::uint32_t oldest() const { return oldest_; }
  std::uint32_t size() const { return groups_.size(); }
  // Merges the group with a neighbour, as long as both together are small; the number of the
  // result, which counts as written again if the group does.
  std::uint32_t merge_if_small(std::uint32_t group);

 private:
  struct Place {
    std::uint32_t group = kNoSlot;
    Stamps stamps;
  };

  void mark(std::uint32_t group);
  void unlink(std::uint32_t group);
  bool are_small(std::uint32_t older, std::uint32_t newer) const;
  void merge_with_newer(std::uint32_t group);

  const SlotPool<Room>& rooms_;
  SlotPool<Group> groups_;
  std::vector<Place> places_;  // by room
  std::vector<std::uint32_t> changed_;
  std::uint32_t oldest_ = kNoSlot;
  std::uint32_t newest_ = kNoSlot;
};

}  // namespace chatd
