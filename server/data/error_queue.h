// ICMP errors, as the kernel reports them for a UDP socket with IP_RECVERR (ip(7), ipv6(7)).
//
// An ICMP error does two things. It is queued, with the destination it is about; and it sets the
// socket's pending error, so that the *next* system call on the socket fails, whichever destination
// that is for. Who drains the queue and repeats the call loses nothing: the first is what says that
// a member is gone, the second must not cost another member a message.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/address/endpoint.h"

namespace chatd {

// Thread: one at a time.
class ErrorQueue {
 public:
  static constexpr std::size_t kMaxPerDrain = 1024;

  explicit ErrorQueue(int udp_fd);

  // Takes what the queue holds (at most kMaxPerDrain; the rest comes with the next call). Returns
  // how many entries there were, of whatever kind.
  std::size_t drain();

  // The destinations where nobody listens (ICMP port unreachable), one at a time, in no particular
  // order; nothing when there are no more.
  std::optional<Endpoint> take_refused();
  bool has_refused() const { return !refused_.empty(); }

 private:
  static constexpr std::size_t kMaxRefused =
      4096;  // not yet taken; more are forgotten, more will come

  int udp_fd_;
  std::vector<Endpoint> refused_;
};

}  // namespace chatd
