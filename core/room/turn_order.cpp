#include "core/room/turn_order.h"

#include <utility>

#include "core/base/limits.h"

namespace chatd {

TurnOrder::TurnOrder(Roster& roster, const KeyedHash::Key& hash_key)
    : roster_(roster), lines_(0, Hash{KeyedHash(hash_key)}) {}

// --- Rooms ---------------------------------------------------------------------------------------

void TurnOrder::add_room(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  const IpAddress address = room.creator.counted();
  TurnLine& line = lines_[address];
  line.address = address;
  ++line.rooms;
  room.turn_line = &line;
}

void TurnOrder::enqueue(std::uint32_t slot) {
  TurnLine& line = *roster_.rooms()[slot].turn_line;
  if (!has_something(line)) link(line);
  append(line, slot);
}

void TurnOrder::dequeue(std::uint32_t slot) {
  TurnLine& line = *roster_.rooms()[slot].turn_line;
  remove(line, slot);
  if (!has_something(line)) unlink(line);
}

void TurnOrder::close_room(std::uint32_t slot) {
  TurnLine& line = *roster_.rooms()[slot].turn_line;
  Roster::TakenRoom taken = roster_.take_room(slot);
  --line.rooms;
  ++closed_rooms_;
  if (!has_something(line)) link(line);
  line.closed.emplace_back(std::move(taken.room), std::move(taken.usernames));
}

// --- Turns ---------------------------------------------------------------------------------------

TurnOrder::Turn TurnOrder::next() {
  if (is_turn_of_closed(*first_)) return {.closed = &first_->closed.front()};
  return {.room = first_->first};
}

void TurnOrder::end_turn(std::uint64_t work, bool has_more) {
  TurnLine& line = *first_;
  line.work += work;
  if (is_turn_of_closed(line)) {
    line.closed_lead += static_cast<std::int64_t>(work);
    end_closed_turn(line, has_more);
  } else {
    line.closed_lead -= static_cast<std::int64_t>(work);
    end_open_turn(line, has_more);
  }
  if (line.first == kNoSlot || line.closed.empty()) line.closed_lead = 0;
  if (!has_something(line)) {
    unlink(line);
    forget_unless_used(line);
  } else if (line.work >= kMaxTurnWork) {
    unlink(line);
    link(line);
  }
}

void TurnOrder::end_closed_turn(TurnLine& line, bool has_more) {
  if (has_more) {
    line.closed.splice(line.closed.end(), line.closed, line.closed.begin());
  } else {
    line.closed.pop_front();
    --closed_rooms_;
  }
}

void TurnOrder::end_open_turn(TurnLine& line, bool has_more) {
  const std::uint32_t slot = line.first;
  remove(line, slot);
  if (has_more) append(line, slot);
}

// --- Lists ---------------------------------------------------------------------------------------

void TurnOrder::append(TurnLine& line, std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  room.next_in_line = kNoSlot;
  room.previous_in_line = line.last;
  (line.last == kNoSlot ? line.first : roster_.rooms()[line.last].next_in_line) = slot;
  line.last = slot;
}

void TurnOrder::remove(TurnLine& line, std::uint32_t slot) {
  const Room& room = roster_.rooms()[slot];
  const std::uint32_t previous = room.previous_in_line;
  const std::uint32_t next = room.next_in_line;
  (previous == kNoSlot ? line.first : roster_.rooms()[previous].next_in_line) = next;
  (next == kNoSlot ? line.last : roster_.rooms()[next].previous_in_line) = previous;
}

void TurnOrder::link(TurnLine& line) {
  line.work = 0;
  line.next = nullptr;
  line.previous = last_;
  (last_ == nullptr ? first_ : last_->next) = &line;
  last_ = &line;
}

void TurnOrder::unlink(TurnLine& line) {
  (line.previous == nullptr ? first_ : line.previous->next) = line.next;
  (line.next == nullptr ? last_ : line.next->previous) = line.previous;
}

// An open room without anything to send keeps its line, so that a message finds it without a
// search.
void TurnOrder::forget_unless_used(TurnLine& line) {
  if (line.rooms == 0) lines_.erase(line.address);
}

}  // namespace chatd
