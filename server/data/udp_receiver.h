// Receives datagrams in batches into memory that is allocated once. A slot holds the largest
// datagram, one byte more (so that a larger one shows), and the padding that simdjson reads beyond
// the end.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/wire/payload.h"
#include "server/net/socket_address.h"

namespace chatd {

// Thread: one at a time.
class UdpReceiver {
 public:
  static constexpr std::size_t kBatch = 64;

  struct Datagram {
    Endpoint from;
    std::string_view bytes;  // more than kMaxDatagramBytes: it was cut
  };

  explicit UdpReceiver(int fd);
  UdpReceiver(const UdpReceiver&) = delete;  // the headers point into it
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  // Receives up to kBatch datagrams without waiting and returns how many. Overwrites the batch
  // before.
  std::size_t receive();
  // Whether the last receive() has emptied the socket: then epoll tells when there is more.
  bool is_drained() const { return is_drained_; }
  Datagram operator[](std::size_t index);

 private:
  static constexpr std::size_t kSlotBytes = kMaxDatagramBytes + 1;
  static constexpr std::size_t kStrideBytes = (kSlotBytes + kPayloadPaddingBytes + 63) / 64 * 64;

  static constexpr int kMaxPendingErrors = 8;

  int fd_;
  bool is_drained_ = false;
  std::vector<char> memory_;
  std::array<SocketAddress, kBatch> sources_{};
  std::array<iovec, kBatch> slots_{};
  std::array<mmsghdr, kBatch> headers_{};
};

}  // namespace chatd
