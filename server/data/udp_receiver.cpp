#include "server/data/udp_receiver.h"

#include <netinet/udp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "server/data/error_queue.h"

namespace chatd {

UdpReceiver::UdpReceiver(Io& io, int fd, LocalAddresses* locals)
    : io_(io),
      fd_(fd),
      locals_(locals),
      memory_(std::make_unique_for_overwrite<char[]>(kBatch * kStrideBytes)) {
  if (io_.set_option(fd, SOL_UDP, UDP_GRO, 1) != 0) {
    spdlog::warn(
        "this kernel has no UDP_GRO ({}; it came with Linux 5.0): messages come in one by one, "
        "which costs more",
        std::strerror(errno));
  }
  for (std::size_t i = 0; i < kBatch; ++i) {
    slots_[i] = {.iov_base = &memory_[i * kStrideBytes], .iov_len = kSlotBytes};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &sources_[i];
    header.msg_iov = &slots_[i];
    header.msg_iovlen = 1;
    header.msg_control = &controls_[i];
  }
}

// Only EAGAIN says that the socket is empty. A pending ICMP error ends a call as well (and is gone
// then), and there need not be an event that tells of what waits behind it: with the receive buffer
// full, the error queue takes nothing, and arrivals are dropped silently.
void UdpReceiver::receive() {
  for (mmsghdr& header : headers_) {
    header.msg_hdr.msg_namelen = sizeof(SocketAddress);
    header.msg_hdr.msg_controllen = sizeof(Control);
  }
  slot_ = 0;
  slot_count_ = 0;
  is_drained_ = false;
  error_ = 0;
  for (int errors = 0, failures = 0;
       slot_count_ < kBatch && errors < kMaxPendingErrors && failures < kMaxFailures;) {
    const int received =
        io_.receive_batch(fd_, std::span(headers_).subspan(slot_count_), /*flags=*/0);
    if (received > 0) {
      slot_count_ += static_cast<std::size_t>(received);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      is_drained_ = true;
      break;
    } else {
      error_ = errno;
      ++(may_be_pending(error_) ? errors : failures);
    }
  }
  if (slot_count_ > 0 || is_drained_) error_ = 0;
  if (has_next()) open_slot();
}

// Who opened the socket may have asked for control messages of other kinds.
void UdpReceiver::open_slot() {
  offset_bytes_ = 0;
  via_ = 0;
  msghdr& header = headers_[slot_].msg_hdr;
  segment_bytes_ = headers_[slot_].msg_len;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    read_control(*control);
  }
}

void UdpReceiver::read_control(const cmsghdr& control) {
  if (control.cmsg_level == SOL_UDP && control.cmsg_type == UDP_GRO) {
    int segment_bytes = 0;  // there if the slot holds several datagrams
    std::memcpy(&segment_bytes, CMSG_DATA(&control), sizeof segment_bytes);
    if (segment_bytes > 0) segment_bytes_ = static_cast<std::size_t>(segment_bytes);
  } else if (locals_ == nullptr) {
    return;
  } else if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) {
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&control), sizeof info);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &info.ipi_spec_dst, bytes.size());
    via_ = locals_->via(IpAddress::from_v4(bytes), 0);
  } else if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&control), sizeof info);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &info.ipi6_addr, bytes.size());
    via_ = locals_->via(IpAddress::from_v6(bytes), info.ipi6_ifindex);
  }
}

UdpReceiver::Datagram UdpReceiver::next() {
  const std::size_t size_bytes = headers_[slot_].msg_len;
  const std::size_t count = std::min(segment_bytes_, size_bytes - offset_bytes_);
  Datagram datagram{.from = to_endpoint(sources_[slot_]),
                    .bytes = {&memory_[slot_ * kStrideBytes + offset_bytes_], count}};
  datagram.from.via = via_;
  offset_bytes_ += count;
  if (offset_bytes_ >= size_bytes && ++slot_ < slot_count_) open_slot();
  return datagram;
}

}  // namespace chatd
