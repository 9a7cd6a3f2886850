// The server's monotonic clock, as its kernel shows it: it may stand still for a while (and then
// make up for it at once) or jump forward, as it does when a virtual machine is stopped or moved,
// but it never goes back.
#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace chatd::sim {

class ServerClock {
 public:
  TimeMs now_ms(std::uint64_t now_us) const {
    return stalls_ > 0 ? stalled_at_ms_ : kStartMs + now_us / 1000 + ahead_ms_;
  }
  // When the clock will show this, if nothing happens to it. Never less than a moment from now: a
  // clock that stands still must not make the server spin.
  std::uint64_t when_us(std::uint64_t now_us, TimeMs time_ms) const {
    const TimeMs shown_ms = now_ms(now_us);
    return now_us + (time_ms > shown_ms ? (time_ms - shown_ms) * 1000 : kMomentUs);
  }

  // Also while it stands still: who waits for a time by it shall not do so for ever.
  void jump(TimeMs by_ms) {
    ahead_ms_ += by_ms;
    stalled_at_ms_ += by_ms;
  }
  void stall(std::uint64_t now_us) {
    stalled_at_ms_ = now_ms(now_us);
    ++stalls_;
  }
  void go_on() { --stalls_; }

 private:
  static constexpr TimeMs kStartMs = 1'000'000;
  static constexpr std::uint64_t kMomentUs = 1000;

  TimeMs ahead_ms_ = 0;
  TimeMs stalled_at_ms_ = 0;
  std::uint32_t stalls_ = 0;
};

}  // namespace chatd::sim
