// A hierarchical timing wheel for slots 0..capacity-1, one timer a slot, with a resolution of one
// millisecond.
//
// A million members each have a deadline that moves with every message. A heap would pay O(log n)
// per message. Here a message costs nothing: the owner stores a timestamp, and when the old
// deadline comes, looks whether the slot was busy meanwhile and arms it again. Arming and disarming
// are O(1). Level 0 has a list for each of the next 64 ms, level 1 one for each of the next 64
// spans of 64 ms, and so on: a timer is on the level of the highest 6-bit digit in which its
// deadline differs from the current time. When the time reaches a list of a coarser level, the list
// is spread over the finer ones. One 64-bit word a level says which lists hold something, so that
// the next one is found without a walk. Eleven levels take any 64-bit time. Source: Varghese and
// Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7.
//
// Nothing is allocated after construction, and memory is touched only for slots in use. Thread: one
// at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"

namespace chatd {

class TimerWheel {
 public:
  TimerWheel(std::uint32_t capacity, TimeMs now_ms);

  // Sets or moves the slot's timer. A deadline that has passed fires at the next pop_expired.
  void arm(std::uint32_t slot, TimeMs deadline_ms);
  // The same, unless the slot's timer fires before that.
  void arm_by(std::uint32_t slot, TimeMs deadline_ms);
  void disarm(std::uint32_t slot);
  bool is_armed(std::uint32_t slot) const;

  // The next slot whose deadline is at or before `now_ms`; it is disarmed. Earlier deadlines come
  // first. Call until nothing comes; a caller with other work may stop in between.
  std::optional<std::uint32_t> pop_expired(TimeMs now_ms);

  // A time at or before the earliest deadline: who sleeps until then and calls pop_expired is never
  // late, though there may be nothing to fire yet. Nothing when no timer is armed.
  std::optional<TimeMs> next_deadline() const;

 private:
  static constexpr unsigned kBitsPerLevel = 6;
  static constexpr unsigned kListsPerLevel = 1u << kBitsPerLevel;
  static constexpr unsigned kLevels = 11;
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  static constexpr std::uint16_t kNotArmed = 0xffff;

  struct Node {
    TimeMs deadline_ms = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    std::uint16_t list = kNotArmed;  // level * kListsPerLevel + position
  };

  // The first list in time that holds something, and when its span begins.
  struct FirstList {
    unsigned level;
    std::uint16_t list;
    TimeMs starts_ms;
  };

  std::uint16_t list_for(TimeMs deadline_ms) const;
  void link(std::uint32_t slot);
  void unlink(std::uint32_t slot);
  std::optional<FirstList> first_list() const;
  void spread(std::uint16_t list);

  TimeMs current_ms_;  // no armed deadline is earlier
  std::vector<Node> nodes_;
  std::array<std::uint32_t, kLevels * kListsPerLevel> heads_;
  std::array<std::uint64_t, kLevels> occupied_{};
};

}  // namespace chatd
