// Whose turn it is to be sent: rooms with something to send stand in line, by the address of who
// opened them. Addresses take turns, and within one its rooms do. So one address with a hundred
// rooms in which everybody shouts gets the turns of one, and a quiet room of somebody else waits
// for a turn of each busy address, not of each busy room. An address's turn is an amount of work,
// whether its rooms are few and large or many and small (deficit round robin without the deficit,
// which is less than a turn: Shreedhar, Varghese, "Efficient Fair Queueing using Deficit Round
// Robin", 1995). An IPv6 /64 counts as one address, as elsewhere
// (core/limiting/address_limiter.h).
//
// Both lines are lists through their members, so that standing in line costs no memory and no
// search. Thread: one at a time. Allocates when a room is opened, never for a message.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>

#include "core/address/ip_address.h"
#include "core/container/keyed_hash.h"
#include "core/container/slot_pool.h"
#include "core/relay/roster.h"

namespace chatd {

class TurnOrder {
 public:
  TurnOrder(Roster& roster, std::uint32_t max_rooms, const KeyedHash::Key& hash_key);

  // A room that has just been opened, and one that is about to be taken out; it is in no line.
  void add_room(std::uint32_t room);
  void remove_room(std::uint32_t room);

  // A room has got something to send; it has nothing more. Neither must be said twice.
  void enqueue(std::uint32_t room);
  void dequeue(std::uint32_t room);

  bool is_empty() const { return first_ == kNoSlot; }
  // Whose turn it is; there must be one.
  std::uint32_t next() const { return lines_[first_].first; }
  // It has been served with so much work. If it has more it goes to the end of its address's line.
  // True: the address has had its turn of kMaxTurnWork, or has nothing more, and goes behind the
  // others. False: its next room is to be served.
  bool end_turn(std::uint32_t room, std::uint64_t work, bool has_more);

 private:
  // The rooms of one address that have something to send.
  struct Line {
    IpAddress address;
    std::uint32_t rooms = 0;  // in line or not
    std::uint64_t work = 0;   // done in this turn
    std::uint32_t first = kNoSlot;
    std::uint32_t last = kNoSlot;
    std::uint32_t next = kNoSlot;  // lines with rooms stand in line themselves
    std::uint32_t previous = kNoSlot;
  };
  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const IpAddress& ip) const { return hash(ip.key()); }
  };

  void link(std::uint32_t line);
  void unlink(std::uint32_t line);

  Roster& roster_;
  SlotPool<Line> lines_;
  absl::flat_hash_map<IpAddress, std::uint32_t, Hash> line_of_;
  std::uint32_t first_ = kNoSlot;
  std::uint32_t last_ = kNoSlot;
};

}  // namespace chatd
