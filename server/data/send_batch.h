// The arguments of one sendmmsg call (sendmmsg(2)): up to kCapacity datagrams, each of them plain
// or a train (UDP_SEGMENT, udp(7)).
//
// What a thousand receivers of one train have in common, its bytes and the size at which they are
// cut, is written once, as a Form; for each receiver there is then little more than an address.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/endpoint.h"
#include "server/io/io.h"
#include "server/os/local_addresses.h"
#include "server/os/socket_address.h"

namespace chatd {

// Thread: one at a time.
class SendBatch {
 public:
  static constexpr std::size_t kCapacity = 256;

  union SegmentSize {  // the control message
    cmsghdr header;
    std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };
  struct Form {
    iovec* pieces = nullptr;  // nothing: there was no room for it
    std::size_t piece_count = 0;
    SegmentSize* segment_size = nullptr;  // of a train; nothing for a plain datagram
  };

  // `family` is the socket's. Without `locals` every datagram leaves from the address that routing
  // picks.
  explicit SendBatch(int family, const LocalAddresses* locals = nullptr);
  SendBatch(const SendBatch&) = delete;  // the headers point into it
  SendBatch& operator=(const SendBatch&) = delete;

  // The bytes of `pieces` as one datagram, cut every `segment_bytes` (0: not at all). Valid until
  // clear().
  Form form(std::span<const std::string_view> pieces, std::uint32_t segment_bytes);
  // There must be room: kCapacity entries at most.
  void add(const Endpoint& destination, const Form& form);

  // Sends so many from the first entry on, without waiting. Returns how many the kernel took, or 0
  // with the reason in errno: it is then about the first entry (or about another datagram
  // altogether, see error_queue.h).
  std::size_t submit(Io& io, int fd, std::size_t count);
  // Lets these leave from there, unless they say it themselves.
  void leave_from(std::size_t first, std::size_t count, const LocalAddress& local);
  // Forgets the first entries.
  void pop(std::size_t count) { first_ += count; }
  void clear();

  bool is_empty() const { return first_ == end_; }
  // Entries are numbered from clear() on.
  std::size_t first() const { return first_; }
  std::size_t end() const { return end_; }

 private:
  static constexpr std::size_t kMaxPieces = 4096;

  // Both control messages of a datagram that leaves from a certain address. Neighbours share them.
  struct Source {
    alignas(cmsghdr)
        std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))> bytes;
    std::size_t size_bytes = 0;
    const SegmentSize* segment_size = nullptr;
    std::uint16_t via = 0;
  };

  // Nothing when routing is to pick the address.
  const Source* source_of(std::uint16_t via, const SegmentSize* segment_size);
  void write(const LocalAddress& local, const SegmentSize* segment_size, Source& source) const;

  int family_;
  const LocalAddresses* locals_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  std::size_t piece_end_ = 0;
  std::size_t segment_size_end_ = 0;
  std::array<iovec, kMaxPieces> pieces_{};
  std::size_t source_end_ = 0;
  std::array<SegmentSize, kCapacity> segment_sizes_{};
  std::array<Source, kCapacity> sources_{};
  std::array<SocketAddress, kCapacity> addresses_{};
  std::array<mmsghdr, kCapacity> headers_{};
};

}  // namespace chatd
