// RelayHistograms a shard's turns: how many datagrams they take in, how long they take, and how
// long a datagram may have been inside chatd.
//
// Nothing is done per datagram: a turn knows when it began (the clock is read then anyway) and, by
// a counter, how many datagrams it has taken in. If it was any, the clock is read once more at its
// end. A datagram counts with the time from the beginning of its turn until nothing waited any
// more, neither in a room nor for the socket: no message of it has taken longer, most have taken
// less. A shard that never gets to the end of what waits counts what it has after a second.
// How long a datagram lay in the kernel's receive buffer before is not part of it.
// Thread: the shard's.
#pragma once

#include <cstdint>

#include "core/stats/counters.h"
#include "core/stats/histograms.h"
#include "server/os/wait.h"

namespace chatd {

class LoopTimer {
 public:
  LoopTimer(const Counters& counters, RelayHistograms& histograms)
      : counters_(counters), histograms_(histograms) {}

  void begin(TimeNs now_ns) { began_ns_ = now_ns; }

  // What was received outside of turns, or by another process, is not this one's next turn's.
  void skip() { received_before_ = counters_[Counter::kDatagramsReceived]; }

  // `is_done`: nothing waits for the next turn. `read_clock` returns the time, if it matters.
  template <class ReadClock>
  void end(bool is_done, ReadClock read_clock) {
    const std::uint64_t received = counters_[Counter::kDatagramsReceived];
    const std::uint64_t datagrams = received - received_before_;
    if (datagrams == 0 && unfinished_ == 0) return;
    received_before_ = received;
    count_turn(datagrams, is_done, read_clock());
  }

 private:
  static constexpr TimeNs kNsPerUs = 1000;
  static constexpr TimeNs kLongestNs = 1'000'000'000;

  void count_turn(std::uint64_t datagrams, bool is_done, TimeNs now_ns) {
    histograms_.turn_us.add((now_ns - began_ns_) / kNsPerUs);
    if (datagrams > 0) histograms_.turn_datagrams.add(datagrams);
    if (unfinished_ == 0) oldest_ns_ = began_ns_;
    unfinished_ += datagrams;
    if (!is_done && now_ns - oldest_ns_ < kLongestNs) return;
    histograms_.latency_us.add((now_ns - oldest_ns_) / kNsPerUs, unfinished_);
    unfinished_ = 0;
  }

  const Counters& counters_;
  RelayHistograms& histograms_;
  TimeNs began_ns_ = 0;
  std::uint64_t received_before_ = 0;
  std::uint64_t unfinished_ = 0;  // datagrams since something waits
  TimeNs oldest_ns_ = 0;          // when the turn of the first of them began
};

}  // namespace chatd
