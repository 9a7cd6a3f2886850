// Between the core's endpoints and the kernel's sockaddr. A socket of family AF_INET6 that serves
// both families sees IPv4 peers as ::ffff:a.b.c.d, which is just how the core writes them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/endpoint.h"

namespace chatd {

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

}  // namespace chatd
