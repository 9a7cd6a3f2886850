// Who speaks next: the senders of a room take turns.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/chatbench/workload/distributions.h"

namespace chatd::bench {

// Thread: one at a time.
class SenderPicker {
 public:
  // The first `senders` members of each room speak; at least one.
  SenderPicker(std::uint32_t rooms, std::uint32_t members_per_room, std::uint32_t senders)
      : members_per_room_(members_per_room), senders_(senders), turns_(rooms) {}

  std::uint32_t next_in(std::uint32_t room) {
    const std::uint32_t turn = turns_[room];
    turns_[room] = turn + 1 == senders_ ? 0 : turn + 1;
    return room * members_per_room_ + turn;
  }
  // Rooms in turn: with evenly spaced times, each room's are evenly spaced, too.
  std::uint32_t next_in_turn() {
    const std::uint32_t room = room_;
    room_ = room + 1 == turns_.size() ? 0 : room + 1;
    return next_in(room);
  }
  // Any room: with Poisson arrivals, each room's are Poisson, too.
  std::uint32_t next_anywhere(Random& random) {
    return next_in(random.below(static_cast<std::uint32_t>(turns_.size())));
  }

 private:
  std::uint32_t members_per_room_;
  std::uint32_t senders_;
  std::vector<std::uint32_t> turns_;
  std::uint32_t room_ = 0;
};

}  // namespace chatd::bench
