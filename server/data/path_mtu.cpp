#include "server/data/path_mtu.h"

#include <netinet/udp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace chatd {

namespace {

// IPv4 or IPv6 header without options, and UDP's.
constexpr std::uint32_t kHeaderBytes4 = 20 + 8;
constexpr std::uint32_t kHeaderBytes6 = 40 + 8;

bool kernel_has_trains(int udp_fd) {
  int segment_bytes = 0;
  socklen_t length = sizeof segment_bytes;
  return ::getsockopt(udp_fd, SOL_UDP, UDP_SEGMENT, &segment_bytes, &length) == 0;
}

}  // namespace

TrainLimits train_limits(int udp_fd, int family, bool wanted, std::uint32_t mtu_bytes) {
  TrainLimits limits;
  limits.max_segment_bytes = mtu_bytes - (family == AF_INET ? kHeaderBytes4 : kHeaderBytes6);
  if (wanted && kernel_has_trains(udp_fd)) return limits;
  limits.max_segments = 1;
  if (wanted) {
    spdlog::warn(
        "this kernel has no UDP_SEGMENT ({}; it came with Linux 4.18): each message goes out as a "
        "datagram of its own, which costs more",
        std::strerror(errno));
  }
  return limits;
}

Fragmentation::Fragmentation(Io& io, int udp_fd) : io_(io), fd_(udp_fd) {
  if (forbid()) return;
  spdlog::warn("IP_MTU_DISCOVER is refused ({}): each datagram costs a little more",
               std::strerror(errno));
}

}  // namespace chatd
