// How large a datagram may be on its way: what trains the kernel and the network take, and whether
// datagrams may be cut into fragments.
#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "core/room/train_planner.h"
#include "server/io/io.h"

namespace chatd {

// What trains (UDP_SEGMENT) this machine and its network take. `family` is the socket's,
// `mtu_bytes` what every path to a member takes. No trains when they are not wanted or the kernel
// does not know them, which is logged.
TrainLimits train_limits(int udp_fd, int family, bool wanted, std::uint32_t mtu_bytes);

// Whether this socket's IPv4 datagrams may be cut into fragments on their way.
//
// Those that every path takes whole may not, for what that saves: a datagram that is never cut
// needs no identification (RFC 6864), and the kernel does not have to draw one (IP_PMTUDISC_DO,
// ip(7)), which is 5 % of what a datagram costs. A larger one may be cut by chatd's kernel and by
// any router (IP_PMTUDISC_DONT): if it were not to be, the first router whose next link is too
// small for it would throw it away and tell chatd of the path's MTU, which helps the next message,
// not this one, and where ICMP is filtered none at all.
//
// A path may be smaller than the operator believes. Then the kernel refuses what does not fit
// (EMSGSIZE), and whoever sends allows fragments and sends it again. They are forbidden again when
// all of an outbox has gone. (IPv6 is another matter: see set_fragment_bytes in
// server/os/open_sockets.h.) Thread: one at a time.
class Fragmentation {
 public:
  // Forbids it. A kernel that refuses goes on as it always did.
  Fragmentation(Io& io, int udp_fd);

  bool is_allowed() const { return is_allowed_; }
  void allow() { set(true, IP_PMTUDISC_DONT); }
  bool forbid() { return set(false, IP_PMTUDISC_DO); }

 private:
  bool set(bool is_allowed, int value) {
    is_allowed_ = is_allowed;
    return io_.set_option(fd_, IPPROTO_IP, IP_MTU_DISCOVER, value) == 0;
  }

  Io& io_;
  int fd_;
  bool is_allowed_ = false;
};

}  // namespace chatd
