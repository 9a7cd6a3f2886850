// An endpoint of the core as the kernel has it, and what the kernel makes of an address.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/endpoint.h"
#include "server/os/unique_fd.h"

namespace chatd {

// Between the core's endpoints and the kernel's sockaddr. A socket of family AF_INET6 that serves
// both families sees IPv4 peers as ::ffff:a.b.c.d, which is just how the core writes them.

// Room for both families, without sockaddr_storage's 128 bytes: there is one for each datagram of a
// batch.
union SocketAddress {
  sockaddr base;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// `family` is that of the socket: AF_INET or AF_INET6. Returns the length. An IPv6 endpoint has no
// AF_INET form; the kernel refuses what comes out.
socklen_t to_socket_address(const Endpoint& endpoint, int family, SocketAddress& address);
Endpoint to_endpoint(const SocketAddress& address);

// "127.0.0.1:8000" or "[::1]:8000".
std::string to_text(const IpAddress& ip);
std::string to_text(const Endpoint& endpoint);

// A host name or literal address, as an operator writes it, and a port. The error is a sentence.
tl::expected<SocketAddress, std::string> resolve(const std::string& host, std::uint16_t port);

// All addresses of a name, in the resolver's order; at least one. Of these chatd listens on one:
// the first, but 127.0.0.1 where all are loopback, for that is where clients look first.
tl::expected<std::vector<SocketAddress>, std::string> resolve_all(const std::string& host,
                                                                  std::uint16_t port);
const SocketAddress& to_listen_on(const std::vector<SocketAddress>& addresses);

// The address a socket is bound to.
tl::expected<Endpoint, std::string> bound_endpoint(int fd);
// The same, or port 0 if the kernel does not say.
Endpoint local_endpoint(int fd);

// What the kernel makes of an address, asked on a socket of its own that no ICMP error concerns and
// that sends nothing. Without a descriptor to spare there is no knowing, and the answer is yes.

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
