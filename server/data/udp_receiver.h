// Receives datagrams in batches into memory that is allocated once.
//
// A client may send several messages as one train (UDP_SEGMENT), and a network card or the kernel
// may put several datagrams of one sender together. With UDP_GRO (udp(7), Linux 5.0) they come
// through the socket in one piece, which costs about as much as a single datagram; they are taken
// apart here. So a slot holds the largest piece that there is: a smaller one would cut it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/wire/v1/payload.h"
#include "server/io/io.h"
#include "server/os/local_addresses.h"
#include "server/os/socket_address.h"

namespace chatd {

// Thread: one at a time.
class UdpReceiver {
 public:
  // Pieces in a call; each is one datagram or up to some dozens.
  static constexpr std::size_t kBatch = 64;

  struct Datagram {
    Endpoint from;
    std::string_view bytes;  // kPayloadPaddingBytes behind it are readable
  };

  // Turns UDP_GRO on; a kernel without it gives datagrams one by one.
  // `locals` gets to know the addresses that datagrams were sent to, if the socket tells them.
  UdpReceiver(Io& io, int fd, LocalAddresses* locals = nullptr);
  UdpReceiver(const UdpReceiver&) = delete;  // the headers point into it
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  // Receives a batch without waiting. What is left of the one before is overwritten.
  void receive();
  // Whether the last receive() has emptied the socket: then epoll tells when there is more.
  bool is_drained() const { return is_drained_; }
  // Why the last receive() got nothing at all (errno), if it failed again and again; or 0.
  int error() const { return error_; }

  // The batch's datagrams, one after the other. next() while has_next(); valid until receive().
  bool has_next() const { return slot_ < slot_count_; }
  Datagram next();

 private:
  static constexpr std::size_t kSlotBytes = 65'536;
  // Not 64 KiB exactly: the beginnings of all slots would compete for the same lines of the cache.
  static constexpr std::size_t kStrideBytes = kSlotBytes + 3 * 64;
  static_assert(kStrideBytes >= kSlotBytes + kPayloadPaddingBytes);

  // Such errors can be forged at any rate: see server/data/error_queue.h.
  static constexpr int kMaxPendingErrors = 64;
  static constexpr int kMaxFailures = 8;

  // More than what was asked for: who opened the socket may have asked for timestamps, credentials
  // and the like, and what comes first must not crowd out the rest.
  union Control {
    cmsghdr header;
    std::array<char, 256> bytes;
  };

  void open_slot();
  void read_control(const cmsghdr& control);

  Io& io_;
  int fd_;
  LocalAddresses* locals_;
  bool is_drained_ = false;
  int error_ = 0;
  std::size_t slot_count_ = 0;
  std::size_t slot_ = 0;           // that is being read
  std::size_t offset_bytes_ = 0;   // in it
  std::size_t segment_bytes_ = 0;  // of each datagram in it but the last
  std::uint16_t via_ = 0;          // where it was sent to: see Endpoint
  std::unique_ptr<char[]> memory_;
  std::array<SocketAddress, kBatch> sources_{};
  std::array<iovec, kBatch> slots_{};
  std::array<Control, kBatch> controls_{};
  std::array<mmsghdr, kBatch> headers_{};
};

}  // namespace chatd
