#include "server/data/send_batch.h"

#include <netinet/udp.h>

#include <cstring>

namespace chatd {

SendBatch::SendBatch(int family) : family_(family) {
  for (std::size_t i = 0; i < kCapacity; ++i) {
    SegmentSize& segment_size = segment_sizes_[i];
    segment_size.header.cmsg_level = SOL_UDP;
    segment_size.header.cmsg_type = UDP_SEGMENT;
    segment_size.header.cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    headers_[i].msg_hdr.msg_name = &addresses_[i];
  }
}

SendBatch::Form SendBatch::form(std::span<const std::string_view> pieces,
                                std::uint32_t segment_bytes) {
  if (pieces.size() > kMaxPieces - piece_end_ || segment_size_end_ == kCapacity) return {};
  Form form{.pieces = &pieces_[piece_end_], .piece_count = pieces.size()};
  for (const std::string_view piece : pieces) {
    // sendmmsg only reads it; iovec has no const form.
    pieces_[piece_end_++] = {.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
  }
  if (segment_bytes != 0) {
    form.segment_size = &segment_sizes_[segment_size_end_++];
    const auto value = static_cast<std::uint16_t>(segment_bytes);
    std::memcpy(CMSG_DATA(&form.segment_size->header), &value, sizeof value);
  }
  return form;
}

void SendBatch::add(const Endpoint& destination, const Form& form) {
  msghdr& header = headers_[end_].msg_hdr;
  header.msg_namelen = to_socket_address(destination, family_, addresses_[end_]);
  header.msg_iov = form.pieces;
  header.msg_iovlen = form.piece_count;
  header.msg_control = form.segment_size;
  header.msg_controllen = form.segment_size == nullptr ? 0 : sizeof(SegmentSize);
  ++end_;
}

std::size_t SendBatch::submit(int fd) {
  const int sent = ::sendmmsg(fd, &headers_[first_], static_cast<unsigned>(end_ - first_),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void SendBatch::clear() {
  first_ = 0;
  end_ = 0;
  piece_end_ = 0;
  segment_size_end_ = 0;
}

}  // namespace chatd
