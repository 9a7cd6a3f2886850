#include "core/room/turn_order.h"

#include <utility>

#include "core/base/limits.h"

namespace chatd {

TurnOrder::TurnOrder(Roster& roster, const KeyedHash::Key& hash_key)
    : roster_(roster), queues_(0, Hash{KeyedHash(hash_key)}) {}

// --- Rooms ---------------------------------------------------------------------------------------

void TurnOrder::add_room(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  const IpAddress address = room.creator.rate_limit_key();
  AddressQueue& queue = queues_[address];
  queue.address = address;
  ++queue.rooms;
  room.turn_queue = &queue;
}

void TurnOrder::enqueue(std::uint32_t slot) {
  AddressQueue& queue = *roster_.rooms()[slot].turn_queue;
  if (!has_something(queue)) link(queue);
  append(queue, slot);
}

void TurnOrder::dequeue(std::uint32_t slot) {
  AddressQueue& queue = *roster_.rooms()[slot].turn_queue;
  remove(queue, slot);
  if (!has_something(queue)) unlink(queue);
}

void TurnOrder::close_room(std::uint32_t slot) {
  AddressQueue& queue = *roster_.rooms()[slot].turn_queue;
  Roster::TakenRoom taken = roster_.take_room(slot);
  --queue.rooms;
  ++closed_rooms_;
  if (!has_something(queue)) link(queue);
  queue.closed.emplace_back(std::move(taken));
}

// --- Turns ---------------------------------------------------------------------------------------

TurnOrder::Turn TurnOrder::next() {
  if (is_turn_of_closed(*first_)) return {.closed = &first_->closed.front()};
  return {.room = first_->first};
}

void TurnOrder::end_turn(std::uint64_t work, bool has_more) {
  AddressQueue& queue = *first_;
  queue.work += work;
  if (is_turn_of_closed(queue)) {
    queue.closed_lead += static_cast<std::int64_t>(work);
    end_closed_turn(queue, has_more);
  } else {
    queue.closed_lead -= static_cast<std::int64_t>(work);
    end_open_turn(queue, has_more);
  }
  if (queue.first == kNoSlot || queue.closed.empty()) queue.closed_lead = 0;
  if (!has_something(queue)) {
    unlink(queue);
    erase_unless_used(queue);
  } else if (queue.work >= kMaxTurnWork) {
    unlink(queue);
    link(queue);
  }
}

void TurnOrder::end_closed_turn(AddressQueue& queue, bool has_more) {
  if (has_more) {
    queue.closed.splice(queue.closed.end(), queue.closed, queue.closed.begin());
  } else {
    queue.closed.pop_front();
    --closed_rooms_;
  }
}

void TurnOrder::end_open_turn(AddressQueue& queue, bool has_more) {
  const std::uint32_t slot = queue.first;
  remove(queue, slot);
  if (has_more) append(queue, slot);
}

// --- Lists ---------------------------------------------------------------------------------------

void TurnOrder::append(AddressQueue& queue, std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  room.next_in_queue = kNoSlot;
  room.previous_in_queue = queue.last;
  (queue.last == kNoSlot ? queue.first : roster_.rooms()[queue.last].next_in_queue) = slot;
  queue.last = slot;
}

void TurnOrder::remove(AddressQueue& queue, std::uint32_t slot) {
  const Room& room = roster_.rooms()[slot];
  const std::uint32_t previous = room.previous_in_queue;
  const std::uint32_t next = room.next_in_queue;
  (previous == kNoSlot ? queue.first : roster_.rooms()[previous].next_in_queue) = next;
  (next == kNoSlot ? queue.last : roster_.rooms()[next].previous_in_queue) = previous;
}

void TurnOrder::link(AddressQueue& queue) {
  queue.work = 0;
  queue.next = nullptr;
  queue.previous = last_;
  (last_ == nullptr ? first_ : last_->next) = &queue;
  last_ = &queue;
}

void TurnOrder::unlink(AddressQueue& queue) {
  (queue.previous == nullptr ? first_ : queue.previous->next) = queue.next;
  (queue.next == nullptr ? last_ : queue.next->previous) = queue.previous;
}

// An open room without anything to send keeps its queue, so that a message finds it without a
// search.
void TurnOrder::erase_unless_used(AddressQueue& queue) {
  if (queue.rooms == 0) queues_.erase(queue.address);
}

}  // namespace chatd
