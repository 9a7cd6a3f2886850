#include "server/data/udp_receiver.h"

#include <cerrno>

namespace chatd {

UdpReceiver::UdpReceiver(int fd) : fd_(fd), memory_(kBatch * kStrideBytes) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    slots_[i] = {.iov_base = &memory_[i * kStrideBytes], .iov_len = kSlotBytes};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &sources_[i];
    header.msg_iov = &slots_[i];
    header.msg_iovlen = 1;
  }
}

// Only EAGAIN says that the socket is empty. A pending ICMP error ends a call as well (and is gone
// then), and there need not be an event that tells of what waits behind it: with the receive buffer
// full, the error queue takes nothing, and arrivals are dropped silently.
std::size_t UdpReceiver::receive() {
  for (mmsghdr& header : headers_) header.msg_hdr.msg_namelen = sizeof(SocketAddress);
  std::size_t count = 0;
  is_drained_ = false;
  for (int errors = 0; count < kBatch && errors < kMaxPendingErrors;) {
    const int received = ::recvmmsg(fd_, &headers_[count], static_cast<unsigned>(kBatch - count),
                                    MSG_DONTWAIT, nullptr);
    if (received > 0) {
      count += static_cast<std::size_t>(received);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      is_drained_ = true;
      break;
    } else {
      ++errors;
    }
  }
  return count;
}

UdpReceiver::Datagram UdpReceiver::operator[](std::size_t index) {
  return {.from = to_endpoint(sources_[index]),
          .bytes = {&memory_[index * kStrideBytes], headers_[index].msg_len}};
}

}  // namespace chatd
