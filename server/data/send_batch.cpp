#include "server/data/send_batch.h"

#include <netinet/udp.h>

#include <cstring>

namespace chatd {

SendBatch::SendBatch(int family, const LocalAddresses* locals) : family_(family), locals_(locals) {
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
  if (destination.via == 0 || locals_ == nullptr) return;
  const Source* const source = source_of(destination.via, form.segment_size);
  if (source == nullptr) return;
  // sendmmsg only reads it.
  header.msg_control = const_cast<char*>(source->bytes.data());
  header.msg_controllen = source->size_bytes;
}

const SendBatch::Source* SendBatch::source_of(std::uint16_t via, const SegmentSize* segment_size) {
  if (source_end_ > 0) {
    const Source& last = sources_[source_end_ - 1];
    if (last.via == via && last.segment_size == segment_size) return &last;
  }
  const auto local = locals_->find(via);
  if (!local) return nullptr;
  Source& source = sources_[source_end_++];
  source.via = via;
  source.segment_size = segment_size;
  write(*local, segment_size, source);
  return &source;
}

void SendBatch::write(const LocalAddress& local, const SegmentSize* segment_size,
                      Source& source) const {
  cmsghdr header{};
  if (family_ == AF_INET) {
    in_pktinfo info{};
    const auto bytes = local.ip.v4_bytes();
    std::memcpy(&info.ipi_spec_dst, bytes.data(), bytes.size());
    header = {.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    std::memcpy(source.bytes.data() + CMSG_LEN(0), &info, sizeof info);
    source.size_bytes = CMSG_SPACE(sizeof info);
  } else {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.ip.bytes().data(), local.ip.bytes().size());
    info.ipi6_ifindex = local.interface;
    header = {
        .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
    std::memcpy(source.bytes.data() + CMSG_LEN(0), &info, sizeof info);
    source.size_bytes = CMSG_SPACE(sizeof info);
  }
  std::memcpy(source.bytes.data(), &header, sizeof header);
  // The kernel keeps this much on its stack (____sys_sendmsg), but no byte more: the padding behind
  // it would cost an allocation for each datagram.
  if (segment_size == nullptr) {
    source.size_bytes = header.cmsg_len;
    return;
  }
  std::memcpy(source.bytes.data() + source.size_bytes, segment_size, sizeof *segment_size);
  source.size_bytes += sizeof *segment_size;
}

// An entry has one Source at most: add() takes none for an entry that routing is to pick an address
// for, and who has one is passed over here. So there is room.
void SendBatch::leave_from(std::size_t first, std::size_t count, const LocalAddress& local) {
  for (std::size_t i = first; i < first + count; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    if (header.msg_controllen > sizeof(SegmentSize)) continue;
    Source& source = sources_[source_end_++];
    source.via = 0;
    source.segment_size = nullptr;
    write(local, static_cast<const SegmentSize*>(header.msg_control), source);
    header.msg_control = source.bytes.data();
    header.msg_controllen = source.size_bytes;
  }
}

std::size_t SendBatch::submit(Io& io, int fd, std::size_t count) {
  const int sent = io.send_batch(fd, std::span(headers_).subspan(first_, count));
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void SendBatch::clear() {
  first_ = 0;
  end_ = 0;
  piece_end_ = 0;
  segment_size_end_ = 0;
  source_end_ = 0;
}

}  // namespace chatd
