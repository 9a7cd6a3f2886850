#include "server/data/udp_receiver.h"

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

std::size_t UdpReceiver::receive() {
  for (mmsghdr& header : headers_) header.msg_hdr.msg_namelen = sizeof(SocketAddress);
  const int received = ::recvmmsg(fd_, headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
  return received < 0 ? 0 : static_cast<std::size_t>(received);
}

UdpReceiver::Datagram UdpReceiver::operator[](std::size_t index) {
  return {.from = to_endpoint(sources_[index]),
          .bytes = {&memory_[index * kStrideBytes], headers_[index].msg_len}};
}

}  // namespace chatd
