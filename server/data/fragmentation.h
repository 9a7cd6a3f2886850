// Whether the kernel may cut this socket's IPv4 datagrams into fragments.
//
// It normally may not, for what that saves: a datagram that is never cut needs no identification
// (RFC 6864), and the kernel does not have to draw one (IP_PMTUDISC_DO, ip(7)), which is 5 % of
// what a datagram costs. A datagram that exceeds the path's MTU is then refused (EMSGSIZE); whoever
// has such a one allows fragments, sends it again, and forbids them when done. (IPv6 needs no
// identification for a whole datagram.) Thread: one at a time.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

namespace chatd {

class Fragmentation {
 public:
  // Forbids it. A kernel that does not know the option goes on as it always did.
  explicit Fragmentation(int udp_fd) : fd_(udp_fd) { forbid(); }

  bool is_allowed() const { return is_allowed_; }
  void allow() { set(true, IP_PMTUDISC_WANT); }
  void forbid() { set(false, IP_PMTUDISC_DO); }

 private:
  void set(bool is_allowed, int value) {
    is_allowed_ = is_allowed;
    ::setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value);
  }

  int fd_;
  bool is_allowed_ = false;
};

}  // namespace chatd
