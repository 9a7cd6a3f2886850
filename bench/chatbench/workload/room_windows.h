// A closed loop: each room has so many messages under way, and the next one is sent when one of
// them is complete, or given up. The server sets the pace; what this shows is how fast it can go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace chatd::bench {

// Thread: one at a time.
class RoomWindows {
 public:
  // In the beginning every room may send `window` messages, and they take turns.
  RoomWindows(std::uint32_t rooms, std::uint32_t window) : free_(std::size_t{rooms} * window) {
    for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = static_cast<std::uint32_t>(i % rooms);
    count_ = free_.size();
  }

  // A room that may send one more message, the one that has waited longest; nothing when all
  // windows are full.
  std::optional<std::uint32_t> take() {
    if (count_ == 0) return std::nullopt;
    const std::uint32_t room = free_[first_];
    first_ = first_ + 1 == free_.size() ? 0 : first_ + 1;
    --count_;
    return room;
  }
  // One of the room's messages is no longer under way. Only for what take() gave.
  void release(std::uint32_t room) {
    std::size_t at = first_ + count_;
    if (at >= free_.size()) at -= free_.size();
    free_[at] = room;
    ++count_;
  }
  bool has_room() const { return count_ != 0; }

 private:
  std::vector<std::uint32_t> free_;  // a ring: count_ entries from first_ on
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace chatd::bench
