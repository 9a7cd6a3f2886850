// What a run needs before its first socket: the server's address, whether that is here, and enough
// descriptors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "client/net/address.h"

namespace chatd::bench {

// How long to wait, and for what to stop waiting.
struct Patience {
  std::int64_t timeout_ms = 10'000;
  int interrupt_fd = -1;  // readable: give up at once (-1: never)
};

using Address = client::Address;

// All addresses of a name or literal. The error is a sentence.
tl::expected<std::vector<Address>, std::string> find_addresses(const std::string& host,
                                                               std::uint16_t port,
                                                               const Patience& patience);

// The one that takes a TCP connection first (client/net/tcp_connection.h); a host with one address
// is there without being asked. `server` is what should run there.
tl::expected<Address, std::string> find_tcp_server(const std::string& host, std::uint16_t port,
                                                   const Patience& patience,
                                                   std::string_view server);

// Whether the descriptor is readable, without waiting.
bool is_readable(int fd);

// Whether the address is one of this machine's: one that a socket here can be bound to.
bool is_this_machine(const client::Address& address);

// RLIMIT_NOFILE: a socket is a descriptor, and the usual soft limit of 1,024 is soon reached.
// Raises it to what so many sockets need, if it is lower. The error says what to do: raise the hard
// limit, or else `instead` ("fewer members").
tl::expected<void, std::string> ensure_descriptors(std::uint64_t sockets,
                                                   const std::string& instead);

}  // namespace chatd::bench
