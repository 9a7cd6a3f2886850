// Opening chatd's sockets. Errors are sentences that say what failed and what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/endpoint.h"
#include "server/os/socket_address.h"
#include "server/os/unique_fd.h"

namespace chatd {

// `flag` is where the operator has said the address.
tl::expected<UniqueFd, std::string> open_tcp_listener(const SocketAddress& address,
                                                      const char* flag = "--tcp-port");

// With ICMP errors reported through the error queue (see data/error_queue.h).
tl::expected<UniqueFd, std::string> open_udp_socket(const SocketAddress& address);

// So many on one address, as one SO_REUSEPORT group: the kernel gives each datagram to one of them,
// and numbers them in this order. Nobody else may be bound there at the time.
tl::expected<std::vector<UniqueFd>, std::string> open_udp_sockets(const SocketAddress& address,
                                                                  std::size_t count);

// For datagrams that leave from the same port and nothing else: nothing that comes is for it (see
// server/data/lanes.h). Whoever is bound to the port must share it (share_port).
tl::expected<UniqueFd, std::string> open_sending_socket(int family, std::uint16_t port);
// Lets others of this user bind to the same port from here on. False: it cannot.
bool share_port(int fd);

// What serves the better for it, on a listener and on a UDP socket wherever they are from: answers
// at once, and ICMP errors through the error queue. An option that is refused is a warning.
void set_tcp_options(int fd);
void set_udp_options(int fd, int family);
// Whether ICMP errors are queued (ErrorQueue). If not, those that wait are gone, and the kernel
// does not say when a device is full, either.
bool hear_errors(int udp_fd, int family, bool is_wanted);

// Asks for a buffer of so many bytes and returns what the kernel gave, which may be less
// (net.core.rmem_max, net.core.wmem_max). `option` is SO_RCVBUF or SO_SNDBUF.
std::size_t set_buffer_bytes(int fd, int option, std::size_t wanted_bytes);
// The buffer that a socket has.
std::size_t buffer_bytes_of(int fd, int option);

// Lets IPv6 datagrams that exceed `mtu_bytes` leave in fragments of at most that size (1,280 at
// least, which every IPv6 path takes). No router cuts them later: one whose next link is smaller
// throws them away and tells chatd, which then cuts to measure, but only what comes after.
void set_fragment_bytes(int udp_fd, std::uint32_t mtu_bytes);

// From here on each datagram that is received comes with the address that it was sent to.
void ask_for_local_addresses(int udp_fd, int family);

// What a UDP socket bound to `bound` answers to: for a wildcard, every address of this machine.
LocalEndpoints own_sockets_of(const Endpoint& bound);

}  // namespace chatd
