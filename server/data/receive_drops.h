// Datagrams that the kernel dropped because the socket's receive buffer was full. It counts them
// (SO_MEMINFO, SK_MEMINFO_DROPS: socket(7), Linux 4.12); asking now and then costs nothing per
// datagram, unlike SO_RXQ_OVFL, which adds a control message to each.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "core/stats/counters.h"
#include "server/io/io.h"

namespace chatd {

// Thread: one at a time.
class ReceiveDrops {
 public:
  ReceiveDrops(Io& io, int udp_fd, Counters& counters)
      : io_(io), fd_(udp_fd), counters_(counters) {}

  // Adds what is new to Counter::kReceiveBufferDrops; asks the kernel at most once a second.
  void update(TimeMs now_ms);
  // The same, at once.
  void update();

  // The kernel's counter as last read: what comes after is what a process that takes the socket
  // over has to count (server/handover/).
  std::uint32_t last_seen() const { return last_seen_; }
  void go_on_from(std::uint32_t last_seen) { last_seen_ = last_seen; }

 private:
  static constexpr TimeMs kIntervalMs = 1000;

  Io& io_;
  int fd_;
  Counters& counters_;
  TimeMs next_update_ms_ = 0;
  std::uint32_t last_seen_ = 0;  // the kernel's counter, which wraps around
};

}  // namespace chatd
