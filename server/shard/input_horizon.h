// Up to when everything is read that clients have sent. Whether somebody has been silent for too
// long is judged by that time, not by the clock: the process may have been stopped for a while (a
// signal, a container or a virtual machine that was paused), and then what proves that they were
// not waits in the sockets. It may happen anywhere in a turn, so it is not looked for. Instead the
// time is taken before the sockets are looked at, and counts when all is read that was found there.
//
// Under a flood the sockets are never empty. But they hold so much and no more: after so many turns
// what was there at the first of them has been read, and the rest has come since.
// Thread: one at a time.
#pragma once

#include "core/base/time.h"

namespace chatd {

class InputHorizon {
 public:
  // The sockets have been looked at; the clock was read before. Whether that has found all that
  // had come: a look may be interrupted, or find more than it can tell.
  void look(TimeMs at_ms, bool has_found_all) {
    looked_at_ms_ = at_ms;
    has_found_all_ = has_found_all;
  }

  // At the end of a turn: whether all is read that had been found.
  void end_turn(bool has_read_all) {
    if (has_found_all_ && has_read_all) {
      heard_until_ms_ = looked_at_ms_;
      turns_behind_ = 0;
      return;
    }
    if (turns_behind_ == 0) behind_since_ms_ = looked_at_ms_;
    if (++turns_behind_ <= kMaxTurnsBehind) return;
    heard_until_ms_ = behind_since_ms_;
    turns_behind_ = 0;
  }

  TimeMs heard_until_ms() const { return heard_until_ms_; }

 private:
  // A turn reads 512 datagrams at most, and a receive buffer has some ten thousand.
  static constexpr unsigned kMaxTurnsBehind = 256;

  TimeMs looked_at_ms_ = 0;
  bool has_found_all_ = false;
  TimeMs heard_until_ms_ = 0;
  TimeMs behind_since_ms_ = 0;
  unsigned turns_behind_ = 0;
};

}  // namespace chatd
