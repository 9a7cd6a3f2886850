// Something that everybody on this relay has to hear, told room by room: a few rooms a turn, as far
// as the outbox takes them, so that a relay with a million members goes on relaying meanwhile, and
// waits with it when the network cannot take more. Who cannot be reached yet, or comes in between,
// may not hear it. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/relay/counters.h"
#include "core/relay/fan_out.h"
#include "core/relay/outbox.h"
#include "core/relay/roster.h"

namespace chatd {

class Announcement {
 public:
  Announcement(Roster& roster, FanOut& fan_out, Counters& counters)
      : roster_(roster), fan_out_(fan_out), counters_(counters) {}

  // From the first room on. `datagram` is a constant: it goes out as it is.
  void begin(std::string_view datagram) {
    datagram_ = datagram;
    next_room_ = 0;
  }
  bool is_pending() const { return !datagram_.empty(); }

  // A turn's share of the rooms.
  void go_on(Outbox& out) {
    for (int told = 0; is_pending() && told < kRoomsPerTurn && !out.is_full(); ++next_room_) {
      if (next_room_ == roster_.rooms().slot_end()) {
        datagram_ = {};
      } else if (roster_.rooms().contains(next_room_)) {
        tell(next_room_, out);
        ++told;
      }
    }
  }

 private:
  static constexpr int kRoomsPerTurn = 64;

  void tell(std::uint32_t room, Outbox& out) {
    fan_out_.settle(room, out);  // what was said before is heard before
    out.open(Outbox::Kind::kNotice, datagram_);
    counters_.add(Counter::kNoticesDropped, FanOut::add_all(roster_.rooms()[room], out));
  }

  Roster& roster_;
  FanOut& fan_out_;
  Counters& counters_;
  std::string_view datagram_;
  std::uint32_t next_room_ = 0;
};

}  // namespace chatd
