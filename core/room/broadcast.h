// Something that everybody on this relay has to hear, told room by room, a few rooms a turn, so
// that a relay with a million members goes on relaying meanwhile. In each room it is an entry of
// the log like any notice. Who cannot be reached yet, or comes in between, may not hear it. Thread:
// one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/room/dispatcher.h"
#include "core/room/roster.h"

namespace chatd {

class Broadcast {
 public:
  Broadcast(Roster& roster, Dispatcher& dispatcher) : roster_(roster), dispatcher_(dispatcher) {}

  // From the first room on. `payload` is a constant.
  void begin(std::string_view payload) {
    payload_ = payload;
    next_room_ = 0;
  }
  bool is_pending() const { return !payload_.empty(); }

  // A turn's share of the rooms.
  void go_on() {
    for (int told = 0; is_pending() && told < kRoomsPerTurn; ++next_room_) {
      if (next_room_ == roster_.rooms().slot_end()) {
        payload_ = {};
      } else if (roster_.rooms().contains(next_room_)) {
        dispatcher_.notify(next_room_, payload_);
        ++told;
      }
    }
  }

 private:
  static constexpr int kRoomsPerTurn = 64;

  Roster& roster_;
  Dispatcher& dispatcher_;
  std::string_view payload_;
  std::uint32_t next_room_ = 0;
};

}  // namespace chatd
