#include "core/base/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace chatd {

TimerWheel::TimerWheel(std::uint32_t capacity, TimeMs now_ms) : current_ms_(now_ms) {
  nodes_.reserve(capacity);
  heads_.fill(kNone);
}

void TimerWheel::arm(std::uint32_t slot, TimeMs deadline_ms) {
  if (slot >= nodes_.size()) nodes_.resize(slot + 1);
  disarm(slot);
  nodes_[slot].deadline_ms = std::max(deadline_ms, current_ms_);
  link(slot);
}

void TimerWheel::arm_by(std::uint32_t slot, TimeMs deadline_ms) {
  if (!is_armed(slot) || nodes_[slot].deadline_ms > deadline_ms) arm(slot, deadline_ms);
}

void TimerWheel::disarm(std::uint32_t slot) {
  if (is_armed(slot)) unlink(slot);
}

bool TimerWheel::is_armed(std::uint32_t slot) const {
  return slot < nodes_.size() && nodes_[slot].list != kNotArmed;
}

std::optional<std::uint32_t> TimerWheel::pop_expired(TimeMs now_ms) {
  while (const auto first = first_list()) {
    if (first->starts_ms > now_ms) break;
    current_ms_ = std::max(current_ms_, first->starts_ms);
    if (first->level == 0) {
      const std::uint32_t slot = heads_[first->list];
      unlink(slot);
      return slot;
    }
    spread(first->list);
  }
  // No list begins between the old time and this one, so every timer stays on the right level.
  current_ms_ = std::max(current_ms_, now_ms);
  return std::nullopt;
}

std::optional<TimeMs> TimerWheel::next_deadline() const {
  const auto first = first_list();
  if (!first) return std::nullopt;
  return first->starts_ms;
}

std::uint16_t TimerWheel::list_for(TimeMs deadline_ms) const {
  const std::uint64_t differing = deadline_ms ^ current_ms_;
  const unsigned level =
      differing == 0 ? 0 : (static_cast<unsigned>(std::bit_width(differing)) - 1) / kBitsPerLevel;
  const std::uint64_t position = deadline_ms >> (level * kBitsPerLevel) & (kListsPerLevel - 1);
  return static_cast<std::uint16_t>(level * kListsPerLevel + position);
}

void TimerWheel::link(std::uint32_t slot) {
  Node& node = nodes_[slot];
  node.list = list_for(node.deadline_ms);
  node.previous = kNone;
  node.next = heads_[node.list];
  if (node.next != kNone) nodes_[node.next].previous = slot;
  heads_[node.list] = slot;
  occupied_[node.list / kListsPerLevel] |= std::uint64_t{1} << node.list % kListsPerLevel;
}

void TimerWheel::unlink(std::uint32_t slot) {
  Node& node = nodes_[slot];
  if (node.next != kNone) nodes_[node.next].previous = node.previous;
  if (node.previous != kNone) {
    nodes_[node.previous].next = node.next;
  } else {
    heads_[node.list] = node.next;
  }
  if (heads_[node.list] == kNone) {
    occupied_[node.list / kListsPerLevel] &= ~(std::uint64_t{1} << node.list % kListsPerLevel);
  }
  node.list = kNotArmed;
}

// A finer level always comes before a coarser one: its deadlines share more leading digits with the
// current time.
std::optional<TimerWheel::FirstList> TimerWheel::first_list() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto position = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kBitsPerLevel;
    const std::uint64_t span = std::uint64_t{kListsPerLevel} << shift;  // 0 on the last level: 2^66
    const TimeMs block_starts_ms = level + 1 == kLevels ? 0 : current_ms_ & ~(span - 1);
    return FirstList{.level = level,
                     .list = static_cast<std::uint16_t>(level * kListsPerLevel + position),
                     .starts_ms = block_starts_ms | std::uint64_t{position} << shift};
  }
  return std::nullopt;
}

void TimerWheel::spread(std::uint16_t list) {
  std::uint32_t slot = heads_[list];
  heads_[list] = kNone;
  occupied_[list / kListsPerLevel] &= ~(std::uint64_t{1} << list % kListsPerLevel);
  while (slot != kNone) {
    const std::uint32_t next = nodes_[slot].next;
    link(slot);
    slot = next;
  }
}

}  // namespace chatd
