// The endpoints on which chatd itself listens for datagrams. A member must never be bound to one:
// chatd would talk to itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/address/endpoint.h"

namespace chatd {

struct OwnSockets {
  std::vector<IpAddress> addresses;
  bool on_all_loopback = false;  // bound to a wildcard: all of 127.0.0.0/8 leads here
  std::uint16_t udp_port = 0;

  bool contains(const Endpoint& endpoint) const {
    if (endpoint.port != udp_port) return false;
    if (on_all_loopback && endpoint.ip.is_loopback()) return true;
    return std::find(addresses.begin(), addresses.end(), endpoint.ip) != addresses.end();
  }
};

}  // namespace chatd
