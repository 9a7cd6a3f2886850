// Whether the server that is measured is still the one that it was at the begin.
//
// A server that ends in the middle of a run loses what is sent to it from then on, and is very
// quick before: its figures are no server's. What of it can be seen without asking it is seen here:
// its process (--server-pid), and its UDP socket when it runs on this machine. A server that hands
// its sockets over to a new process is the same one, by its socket; by its process it is not.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "bench/chatbench/probe/process.h"
#include "bench/chatbench/probe/udp_sockets.h"
#include "client/net/address.h"

namespace chatd::bench {

// Thread: one at a time.
class ServerWatch {
 public:
  // `udp` is an address of this machine. Nothing: there is none to look at.
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
