#include "client/net/udp_gro.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

namespace chatd::client {

bool enable_udp_gro(int fd) {
  const int on = 1;
  return ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
}

std::size_t segment_bytes_of(const msghdr& received) {
  // CMSG_NXTHDR has no const form; it only reads.
  auto* const header = const_cast<msghdr*>(&received);
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO) continue;
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(control), sizeof bytes);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  return 0;
}

}  // namespace chatd::client
