// Sends an outbox in batches of sendmmsg. What the kernel does not take is either kept (the socket
// is full: carry on when it is writable) or dropped under a reason (this destination cannot be
// reached): one bad address costs one entry, never its neighbours.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/relay/counters.h"
#include "core/relay/outbox.h"
#include "server/data/error_queue.h"
#include "server/net/socket_address.h"

namespace chatd {

// Thread: one at a time.
class UdpSender {
 public:
  // `family` is the socket's. The error queue is drained when a send fails for somebody else's
  // error.
  UdpSender(int fd, int family, ErrorQueue& errors, Counters& counters);
  UdpSender(const UdpSender&) = delete;  // the headers point into it
  UdpSender& operator=(const UdpSender&) = delete;

  // True: everything is sent or dropped, the outbox may be cleared. False: the socket is full; call
  // again with the same outbox, to which more may have been added, when it is writable.
  bool send(const Outbox& out);

  // Gives up what send() has left, and counts it.
  void abandon(const Outbox& out);

 private:
  static constexpr std::size_t kBatch = 256;
  static constexpr unsigned kMaxRetries = 8;

  bool fill(const Outbox& out);
  bool flush_batch();
  bool is_others_error(int error);
  void count_sent(std::size_t count);
  void drop(Counter reason);

  int fd_;
  int family_;
  ErrorQueue& errors_;
  Counters& counters_;

  // Where the outbox continues.
  std::size_t next_fanout_ = 0;
  std::size_t next_destination_ = 0;

  // The batch: entries first_..end_ are still to be sent.
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  unsigned retries_ = 0;  // of the entry at first_
  std::array<SocketAddress, kBatch> destinations_{};
  std::array<iovec, kBatch> datagrams_{};
  std::array<Outbox::Kind, kBatch> kinds_{};
  std::array<mmsghdr, kBatch> headers_{};
};

}  // namespace chatd
