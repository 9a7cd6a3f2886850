// Where a datagram comes from or goes to: a canonical address and a UDP port in host byte order.
#pragma once

#include <cstdint>

#include "core/address/ip_address.h"

namespace chatd {

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;  // 0: not known yet

  bool operator==(const Endpoint&) const = default;
};

}  // namespace chatd
