#include "server/data/fragmentation.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>

namespace chatd {

Fragmentation::Fragmentation(Io& io, int udp_fd) : io_(io), fd_(udp_fd) {
  if (forbid()) return;
  spdlog::warn("IP_MTU_DISCOVER is refused ({}): each datagram costs a little more",
               std::strerror(errno));
}

}  // namespace chatd
