// Where datagrams come from and go to, and which of these places are chatd's own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/ip_address.h"

namespace chatd {

// Where a datagram comes from or goes to: a canonical address and a UDP port in host byte order.
struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;  // 0: not known yet
  // By which of this machine's addresses it is spoken to: a number that whoever sends and receives
  // has given it, or 0 where that does not matter (server/os/local_addresses.h).
  std::uint16_t via = 0;

  // It is the same place by whichever way.
  bool operator==(const Endpoint& other) const { return ip == other.ip && port == other.port; }
};

// The endpoints on which chatd itself listens for datagrams. A member must never be bound to one:
// chatd would talk to itself.
struct LocalEndpoints {
  std::vector<IpAddress> addresses;  // that it had at the start
  // Whether the machine has an address now; asked of those that come with chatd's own port.
  std::function<bool(const IpAddress&)> has_address;
  bool on_all_loopback = false;  // bound to a wildcard: all of 127.0.0.0/8 leads here
  std::uint16_t udp_port = 0;

  bool contains(const Endpoint& endpoint) const {
    if (endpoint.port != udp_port) return false;
    if (on_all_loopback && endpoint.ip.is_loopback()) return true;
    if (std::find(addresses.begin(), addresses.end(), endpoint.ip) != addresses.end()) return true;
    return has_address && has_address(endpoint.ip);
  }
};

}  // namespace chatd
