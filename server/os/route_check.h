// What the kernel makes of an address, asked on a socket of its own that no ICMP error concerns and
// that sends nothing. Without a descriptor to spare there is no knowing, and the answer is yes.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "server/os/socket_address.h"
#include "server/os/unique_fd.h"

namespace chatd {

// Whether there is a way to a destination at all. A send that fails with EHOSTUNREACH, ENETUNREACH
// or EACCES leaves that open: it may report another datagram's ICMP error (server/data/
// error_queue.h). `family` is that of the socket that sends.
inline bool has_route(const Endpoint& destination, int family) {
  const UniqueFd probe(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return true;
  SocketAddress address;
  const socklen_t length = to_socket_address(destination, family, address);
  return ::connect(probe.get(), &address.base, length) == 0;
}

// Whether this machine has the address: then a socket can be bound to it. `interface` says which
// link-local one is meant.
inline bool is_own(const IpAddress& ip, std::uint32_t interface) {
  const int family = ip.is_v4() ? AF_INET : AF_INET6;
  const UniqueFd probe(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return true;
  SocketAddress address;
  const socklen_t length = to_socket_address({ip, 0}, family, address);
  if (family == AF_INET6) address.v6.sin6_scope_id = interface;
  return ::bind(probe.get(), &address.base, length) == 0;
}

}  // namespace chatd
