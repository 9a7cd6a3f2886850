// The UDP side of a shard: its socket, what comes through it and what leaves by it.
//
// It knows what no event will announce: that something is left to be read, that reading has failed
// and is tried again in a moment, that the socket is full and until when. So a shard asks it for
// datagrams, gives it an outbox to send, and asks whether there is work and when. Thread: the
// shard's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "core/wire/received_datagram.h"
#include "server/data/error_queue.h"
#include "server/data/receive_drops.h"
#include "server/data/udp_receiver.h"
#include "server/data/udp_sender.h"
#include "server/io/io.h"
#include "server/os/local_addresses.h"
#include "server/os/unique_fd.h"

namespace chatd {

struct UdpSocket {
  UniqueFd fd;
  int family = 0;
  std::size_t max_lanes = Lanes::kMaxLanes;
};

class DataPlane {
 public:
  // Datagrams of up to `max_whole_bytes` travel in one piece, larger ones may be cut on the way.
  DataPlane(Io& io, UdpSocket socket, std::size_t max_whole_bytes, Counters& counters,
            LocalAddresses& locals);

  int fd() const { return socket_.get(); }
  // `events` as epoll reports them for the socket (EPOLLIN, EPOLLOUT, EPOLLERR, with EPOLLET).
  void on_event(std::uint32_t events);

  // Datagrams that have come, `max_count` at most and at least one, unless there are none for now.
  // They stay what the next call returns until they are kept no longer. Where the socket has to be
  // read for them `now_ms` becomes the time at which that was done.
  std::span<ReceivedDatagram> receive(TimeMs& now_ms, std::size_t max_count);
  // Of those that receive() has returned these, the last ones, have not been dealt with.
  void keep(std::span<ReceivedDatagram> rest);
  // Those that are here already are read, and no more: what comes waits in the kernel.
  void stop_reading();
  void read_again() { is_readable_ = has_errors_ = true; }
  bool has_received() const { return has_datagrams() || errors_.has_refused(); }
  // Whether all is read that had come when events were last looked at.
  bool has_read_all() const { return !is_readable_ && !has_datagrams() && !receive_again_at_ms_; }

  // Reads what ICMP says; before receiving, for a pending error would cut a batch short.
  void read_errors(TimeMs now_ms);
  // The destinations where nobody listens (ICMP port unreachable), one at a time.
  std::optional<Endpoint> take_refused() { return errors_.take_refused(); }

  // Sends the outbox and clears it. What does not leave at once stays there, and more may be added.
  void send(Outbox& out, TimeMs now_ms);
  // Some of the outbox has not left yet.
  bool has_unsent() const { return has_unsent_; }
  // The socket, or a device, is full: the outbox waits.
  bool is_send_blocked() const { return full_until_ms_ || deferred_until_ms_; }
  // Drops the outbox if it waits and is full, so that everything else goes on, whatever becomes of
  // the socket.
  void shed_outbox(Outbox& out);
  // What has not left is dropped, and counted under this reason.
  void drop_unsent(Outbox& out, Counter reason);
  // Sends it to the end, and waits for the socket if need be. What has not left by then is dropped:
  // chatd stops.
  void send_before_stop(Outbox& out, TimeMs give_up_at_ms);

  // Whether something is to be read that no event will announce.
  bool has_work() const {
    return is_readable_ || has_datagrams() || has_errors_ || errors_.has_refused();
  }
  // When to look again, without an event.
  std::optional<TimeMs> next_deadline() const;

  // What the kernel has dropped on its own.
  ReceiveDrops& receive_drops() { return receive_drops_; }
  // In the place of another process.
  void go_on_from(std::uint32_t receive_drops_seen);

 private:
  // What has failed, and no event will tell when it works again.
  static constexpr TimeMs kRetryMs = 20;

  bool has_datagrams() const { return first_ != end_ || receiver_.has_next(); }
  bool read_socket(TimeMs& now_ms);
  void pause_receiving(TimeMs now_ms);
  void discard(Outbox& out, Counter reason);
  void wait_until_writable(TimeMs at_most_ms);

  Io& io_;
  UniqueFd socket_;
  Counters& counters_;
  ErrorQueue errors_;
  UdpReceiver receiver_;
  UdpSender sender_;
  ReceiveDrops receive_drops_;

  bool is_readable_ = true;
  bool has_errors_ = false;
  std::optional<TimeMs> receive_again_at_ms_;  // receiving has failed
  bool has_warned_of_receiving_ = false;
  // The next of those that the receiver has, with their headers parsed.
  std::array<ReceivedDatagram, UdpReceiver::kBatch> incoming_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;

  bool has_unsent_ = false;
  // The socket is full, and the outbox waits for it; an event tells when there is room. But the
  // kernel's EAGAIN can have other reasons, which no event ends (an IPsec association that is still
  // being negotiated), so the wait has an end.
  std::optional<TimeMs> full_until_ms_;
  std::optional<TimeMs> deferred_until_ms_;  // the outbox waits until then
};

}  // namespace chatd
