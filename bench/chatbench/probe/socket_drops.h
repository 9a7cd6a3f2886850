// The kernel's own count of datagrams that found a socket's receive buffer full: the last column of
// /proc/net/udp and /proc/net/udp6. It tells messages that the server never saw from those that it
// dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::bench {

// The sum over all sockets at that port; nothing when the table lists none. `table` is the text of
// one of the two files.
std::optional<std::uint64_t> drops_in_table(std::string_view table, std::uint16_t port);

// Of this machine's sockets (in this network namespace) at that UDP port.
std::optional<std::uint64_t> socket_drops_at(std::uint16_t port);

}  // namespace chatd::bench
