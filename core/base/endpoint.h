// Where a datagram comes from or goes to: a canonical address and a UDP port in host byte order.
#pragma once

#include <cstdint>

#include "core/base/ip_address.h"

namespace chatd {

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;  // 0: not known yet
  // By which of this machine's addresses it is spoken to: a number that whoever sends and receives
  // has given it, or 0 where that does not matter (server/os/local_addresses.h).
  std::uint16_t via = 0;

  // It is the same place by whichever way.
  bool operator==(const Endpoint& other) const { return ip == other.ip && port == other.port; }
};

}  // namespace chatd
