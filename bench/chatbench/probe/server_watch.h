// Whether the server that is measured is still the one that it was at the begin, and what the
// kernel dropped in front of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/chatbench/probe/system.h"
#include "client/net/address.h"

namespace chatd::bench {

// What the kernel tells about UDP sockets of this machine, in /proc/net/udp and /proc/net/udp6: how
// many datagrams found a receive buffer full (the last column), and which sockets there are. The
// first tells messages that the server never saw from those that it dropped; the second whether the
// server is still the one that it was.
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

// Whether the server that is measured is still the one that it was at the begin.
//
// A server that ends in the middle of a run loses what is sent to it from then on, and is very
// quick before: such figures are worthless. Two things can be seen without asking the server: its
// process (--server-pid), and its UDP socket when it runs on this machine. A server that hands
// its sockets over to a new process is the same one, by its socket; by its process it is not.
class ServerWatch {
 public:
  // `udp` is an address of this machine. Nothing: it runs elsewhere.
  ServerWatch(std::optional<pid_t> pid, const std::optional<client::Address>& udp);

  // Cheap: asked a hundred times a second.
  bool has_ended() const { return process_ && process_->has_ended(); }
  // A sentence; empty while nothing speaks against it.
  std::string trouble() const;
  // What the kernel has dropped in front of its socket so far; nothing when it is not known.
  std::optional<std::uint64_t> drops() const;

 private:
  std::optional<UdpSockets> look() const;

  std::optional<pid_t> pid_;
  std::optional<ProcessWatch> process_;
  std::optional<client::Address> udp_;
  std::optional<UdpSockets> sockets_;  // at the begin
};

}  // namespace chatd::bench
