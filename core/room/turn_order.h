// Whose turn it is to be sent: rooms with something to send are queued, by the address of who
// opened them, and go on to do so when they have ended. Addresses take turns, and within one its
// rooms do. So one address with a hundred rooms in which everybody shouts gets the turns of one,
// and a quiet room of somebody else waits for a turn of each busy address, not of each busy room.
// An address's turn is an amount of work, whether its rooms are few and large or many and small
// (deficit round robin without the deficit, which is less than a turn: Shreedhar, Varghese,
// "Efficient Fair Queueing using Deficit Round Robin", 1995). An IPv6 /64 counts as one address, as
// elsewhere (core/ratelimit/address_limiter.h).
//
// Both queues are lists through their members, so that being queued costs no memory and no
// search. Thread: one at a time. Allocates when a room is opened or ends, never for a message.
#pragma once

#include <absl/container/node_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <list>

#include "core/base/ip_address.h"
#include "core/base/keyed_hash.h"
#include "core/room/closed_room.h"
#include "core/room/roster.h"

namespace chatd {

// The rooms of one address.
struct AddressQueue {
  IpAddress address;
  std::uint32_t rooms = 0;        // that are open, queued or not
  std::uint32_t first = kNoSlot;  // of those queued
  std::uint32_t last = kNoSlot;
  std::list<ClosedRoom> closed;
  std::int64_t closed_lead = 0;  // work for those that have ended, less that for the open ones
  std::uint64_t work = 0;        // done in this turn
  AddressQueue* next = nullptr;  // queues with something to send are queued
  AddressQueue* previous = nullptr;
};

class TurnOrder {
 public:
  TurnOrder(Roster& roster, const KeyedHash::Key& hash_key);

  // A room that has just been opened.
  void add_room(std::uint32_t room);
  // An open room has got something to send; it has nothing more. Neither must be said twice.
  void enqueue(std::uint32_t room);
  void dequeue(std::uint32_t room);
  // It ends; it is in no queue. Takes it out of the roster, and keeps it queued until it has
  // nothing more to send.
  void close_room(std::uint32_t room);

  bool is_empty() const { return first_ == nullptr; }
  std::uint32_t closed_rooms() const { return closed_rooms_; }
  // Whose turn it is; there must be one. Either a room that has ended, or the slot of an open one.
  struct Turn {
    ClosedRoom* closed = nullptr;
    std::uint32_t room = kNoSlot;
  };
  Turn next();
  // It has been served with so much work. If it has more it goes behind the others of its address;
  // and the address goes behind the others when it has had its turn of kMaxTurnWork.
  void end_turn(std::uint64_t work, bool has_more);

  // Visits all rooms that have ended.
  template <class Visit>
  void for_each_closed(Visit visit) {
    for (AddressQueue* queue = first_; queue != nullptr; queue = queue->next) {
      for (ClosedRoom& closed : queue->closed) visit(closed);
    }
  }

 private:
  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const IpAddress& ip) const { return hash(ip.key()); }
  };

  void append(AddressQueue& queue, std::uint32_t room);
  void remove(AddressQueue& queue, std::uint32_t room);
  void end_closed_turn(AddressQueue& queue, bool has_more);
  void end_open_turn(AddressQueue& queue, bool has_more);
  void link(AddressQueue& queue);
  void unlink(AddressQueue& queue);
  void erase_unless_used(AddressQueue& queue);
  // Both kinds get as much, while both have something.
  static bool is_turn_of_closed(const AddressQueue& queue) {
    return queue.first == kNoSlot || (!queue.closed.empty() && queue.closed_lead <= 0);
  }
  static bool has_something(const AddressQueue& queue) {
    return queue.first != kNoSlot || !queue.closed.empty();
  }

  Roster& roster_;
  absl::node_hash_map<IpAddress, AddressQueue, Hash> queues_;
  AddressQueue* first_ = nullptr;
  AddressQueue* last_ = nullptr;
  std::uint32_t closed_rooms_ = 0;
};

}  // namespace chatd
