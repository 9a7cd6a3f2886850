#include "server/data/error_queue.h"

// linux/errqueue.h needs timespec and does not declare it.
#include <ctime>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "server/net/socket_address.h"

namespace chatd {
namespace {

bool is_refusal(const sock_extended_err& error) {
  const bool is_icmp =
      error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
  return is_icmp && error.ee_errno == ECONNREFUSED;
}

bool has_refusal(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    const bool is_error =
        (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
        (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    if (is_refusal(error)) return true;
  }
  return false;
}

}  // namespace

ErrorQueue::ErrorQueue(int udp_fd) : udp_fd_(udp_fd) {
  refused_.reserve(kMaxRefused);
}

std::size_t ErrorQueue::drain() {
  for (std::size_t drained = 0; drained < kMaxPerDrain; ++drained) {
    SocketAddress destination{};
    // Holds a sock_extended_err and the address of who complained, for either family.
    alignas(cmsghdr) std::array<char, 256> control;
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(udp_fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return drained;
    if (has_refusal(message) && refused_.size() < kMaxRefused) {
      refused_.push_back(to_endpoint(destination));
    }
  }
  return kMaxPerDrain;
}

std::optional<Endpoint> ErrorQueue::take_refused() {
  if (refused_.empty()) return std::nullopt;
  const Endpoint destination = refused_.back();
  refused_.pop_back();
  return destination;
}

}  // namespace chatd
