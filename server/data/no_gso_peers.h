// Destinations that take no trains: a device on the way there cannot cut them, or its MTU is
// smaller than the segments. They are learnt from the kernel's refusals; messages to them then go
// one by one.
//
// A refusal may be a passing one (a route is changed, a tunnel comes up), and the kernel's reasons
// do not tell. So nothing is learnt for ever: after a while a train is tried again, and only who
// refuses it again and again is asked less and less often. And a refusal that the single message
// meets as well was not about trains. When there are too many all are forgotten, and learnt again.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>

#include "core/base/endpoint.h"
#include "core/base/time.h"

namespace chatd {

struct EndpointHash {
  std::size_t operator()(const Endpoint& endpoint) const;
};

// Thread: one at a time.
class NoGsoPeers {
 public:
  static constexpr TimeMs kFirstPauseMs = 1000;
  static constexpr TimeMs kLongestPauseMs = 600'000;

  NoGsoPeers() { destinations_.reserve(kMaxDestinations); }

  // Whether a train would not go there now.
  bool contains(const Endpoint& destination, TimeMs now_ms) const {
    return !destinations_.empty() && is_paused(destination, now_ms);
  }
  // A train was refused: none for a second, or for twice as long as the last time. `error` is the
  // kernel's reason (errno). The first destination that refuses twice is logged.
  void add(const Endpoint& destination, int error, TimeMs now_ms);
  // A single message was refused there as well: if for the same reason, that was not about trains.
  void on_single_refused(const Endpoint& destination, int error);

 private:
  static constexpr std::size_t kMaxDestinations = 4096;

  struct Pause {
    TimeMs until_ms = 0;
    TimeMs length_ms = 0;
    int error = 0;
  };

  bool is_paused(const Endpoint& destination, TimeMs now_ms) const;

  absl::flat_hash_map<Endpoint, Pause, EndpointHash> destinations_;
  bool has_said_so_ = false;
};

}  // namespace chatd
