#include "core/relay/turn_order.h"

#include "core/limits.h"

namespace chatd {

TurnOrder::TurnOrder(Roster& roster, std::uint32_t max_rooms, const KeyedHash::Key& hash_key)
    : roster_(roster), lines_(max_rooms), line_of_(0, Hash{KeyedHash(hash_key)}) {}

void TurnOrder::add_room(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  const IpAddress address = room.creator.counted();
  const auto [entry, is_new] = line_of_.try_emplace(address, kNoSlot);
  // There are no more lines than rooms, and there is a place for each.
  if (is_new) entry->second = lines_.insert({.address = address}).value();
  room.turn_line = entry->second;
  ++lines_[room.turn_line].rooms;
}

void TurnOrder::remove_room(std::uint32_t slot) {
  const std::uint32_t line = roster_.rooms()[slot].turn_line;
  if (--lines_[line].rooms > 0) return;
  line_of_.erase(lines_[line].address);
  lines_.erase(line);
}

void TurnOrder::enqueue(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  Line& line = lines_[room.turn_line];
  room.next_in_line = kNoSlot;
  room.previous_in_line = line.last;
  if (line.last == kNoSlot) {
    line.first = slot;
    link(room.turn_line);
  } else {
    roster_.rooms()[line.last].next_in_line = slot;
  }
  line.last = slot;
}

void TurnOrder::dequeue(std::uint32_t slot) {
  const Room& room = roster_.rooms()[slot];
  Line& line = lines_[room.turn_line];
  const std::uint32_t previous = room.previous_in_line;
  const std::uint32_t next = room.next_in_line;
  (previous == kNoSlot ? line.first : roster_.rooms()[previous].next_in_line) = next;
  (next == kNoSlot ? line.last : roster_.rooms()[next].previous_in_line) = previous;
  if (line.first == kNoSlot) unlink(room.turn_line);
}

bool TurnOrder::end_turn(std::uint32_t slot, std::uint64_t work, bool has_more) {
  const std::uint32_t line_slot = roster_.rooms()[slot].turn_line;
  Line& line = lines_[line_slot];
  line.work += work;
  const bool is_over = line.work >= kMaxTurnWork;
  dequeue(slot);
  if (has_more) enqueue(slot);
  if (line.first == kNoSlot) return true;
  if (is_over && first_ == line_slot) {
    unlink(line_slot);
    link(line_slot);
  }
  return is_over;
}

void TurnOrder::link(std::uint32_t slot) {
  Line& line = lines_[slot];
  line.work = 0;
  line.next = kNoSlot;
  line.previous = last_;
  (last_ == kNoSlot ? first_ : lines_[last_].next) = slot;
  last_ = slot;
}

void TurnOrder::unlink(std::uint32_t slot) {
  const Line& line = lines_[slot];
  (line.previous == kNoSlot ? first_ : lines_[line.previous].next) = line.next;
  (line.next == kNoSlot ? last_ : lines_[line.next].previous) = line.previous;
}

}  // namespace chatd
