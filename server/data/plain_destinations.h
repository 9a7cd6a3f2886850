// Destinations that take no trains: a device on the way there cannot cut them, or its MTU is
// smaller than the segments. They are learnt from the kernel's refusals; messages to them then go
// one by one. When there are too many all are forgotten, and learnt again.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>

#include "core/address/endpoint.h"

namespace chatd {

// Thread: one at a time.
class PlainDestinations {
 public:
  PlainDestinations() { destinations_.reserve(kMaxDestinations); }

  bool contains(const Endpoint& destination) const {
    return !destinations_.empty() && destinations_.contains(destination);
  }
  // `error` is the kernel's reason (errno). The first of all is logged.
  void add(const Endpoint& destination, int error);

 private:
  static constexpr std::size_t kMaxDestinations = 4096;

  struct Hash {
    std::size_t operator()(const Endpoint& endpoint) const;
  };

  absl::flat_hash_set<Endpoint, Hash> destinations_;
  bool has_said_so_ = false;
};

}  // namespace chatd
