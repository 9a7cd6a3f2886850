#include "core/room/room_groups.h"

#include <utility>

namespace chatd {

void RoomGroups::add(std::uint32_t room, std::uint64_t version) {
  if (newest_ == kNoSlot || groups_[newest_].rooms == kMaxRooms) {
    // Each group has a room, so there is a place for as many as there are rooms.
    const std::uint32_t group = groups_.insert({.first_room = room, .older = newest_}).value();
    (newest_ == kNoSlot ? oldest_ : groups_[newest_].newer) = group;
    newest_ = group;
  }
  ++groups_[newest_].rooms;
  if (room >= places_.size()) places_.resize(room + 1);
  places_[room] = {.group = newest_, .stamps = {.created = version, .changed = version}};
  mark(newest_);
}

void RoomGroups::remove(std::uint32_t room, std::uint64_t version) {
  places_[room].stamps.changed = version;
  const std::uint32_t slot = places_[room].group;
  Group& group = groups_[slot];
  if (group.first_room == room) group.first_room = rooms_[room].newer;
  if (--group.rooms == 0) return unlink(slot);
  mark(slot);
}

void RoomGroups::touch(std::uint32_t room, std::uint64_t version) {
  places_[room].stamps.changed = version;
  mark(places_[room].group);
}

void RoomGroups::mark(std::uint32_t group) {
  if (!std::exchange(groups_[group].has_changed, true)) changed_.push_back(group);
}

void RoomGroups::unlink(std::uint32_t slot) {
  const Group& group = groups_[slot];
  (group.older == kNoSlot ? oldest_ : groups_[group.older].newer) = group.newer;
  (group.newer == kNoSlot ? newest_ : groups_[group.newer].older) = group.older;
  groups_.erase(slot);
}

std::uint32_t RoomGroups::merge_if_small(std::uint32_t group) {
  while (are_small(groups_[group].older, group)) {
    group = groups_[group].older;
    merge_with_newer(group);
  }
  while (are_small(group, groups_[group].newer)) merge_with_newer(group);
  return group;
}

// Half a group's rooms at most, so that the result does not have to be cut soon.
bool RoomGroups::are_small(std::uint32_t older, std::uint32_t newer) const {
  return older != kNoSlot && newer != kNoSlot &&
         groups_[older].rooms + groups_[newer].rooms <= kMaxRooms / 2;
}

void RoomGroups::merge_with_newer(std::uint32_t slot) {
  Group& group = groups_[slot];
  const std::uint32_t other = group.newer;
  std::uint32_t room = groups_[other].first_room;
  for (std::uint32_t i = 0; i < groups_[other].rooms; ++i) {
    places_[room].group = slot;
    room = rooms_[room].newer;
  }
  group.rooms += groups_[other].rooms;
  unlink(other);
}

}  // namespace chatd
