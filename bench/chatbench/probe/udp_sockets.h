// What the kernel tells about UDP sockets of this machine, in /proc/net/udp and /proc/net/udp6: how
// many datagrams found a receive buffer full (the last column), and which sockets there are. The
// first tells messages that the server never saw from those that it dropped; the second whether the
// server is still the one that it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "client/net/address.h"

namespace chatd::bench {

struct UdpSockets {
  std::uint64_t drops = 0;            // of all of them
  std::vector<std::uint64_t> inodes;  // each socket's own number; at least one

  // Whether one of them was there then, too. A server that hands its sockets over to another
  // process keeps them; one that was started afresh has others.
  bool has_one_of(const UdpSockets& earlier) const;
};

// Those that receive what is sent to the address: bound to it, or to any address at its port.
// Nothing when the table lists none. `table` is the text of one of the two files.
std::optional<UdpSockets> sockets_in_table(std::string_view table, const client::Address& address);

// In this network namespace.
std::optional<UdpSockets> udp_sockets_at(const client::Address& address);

}  // namespace chatd::bench
