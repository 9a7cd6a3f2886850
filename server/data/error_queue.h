// ICMP errors, as the kernel reports them for a UDP socket with IP_RECVERR (ip(7), ipv6(7)).
//
// An ICMP error does two things. It is queued, with the destination it is about; and it sets the
// socket's pending error, so that the *next* system call on the socket fails, whichever destination
// that is for. The first is what says that a member is gone, the second must not cost another
// member a message: whoever gets an error that may be such a one (may_be_pending) repeats the call.
//
// Anybody who knows chatd's port can forge such errors, of every kind and as many as he likes. So
// neither may their number decide anything: a call is repeated until it fails for its own sake, and
// the queue is emptied whenever it is met, for it takes its memory from the receive buffer. What
// comes faster than members can cause it is not listened to for a while: a flood would fill the
// buffer, and members' datagrams would find no room. Meanwhile nobody is known to have gone, and a
// datagram that a full device drops counts as sent.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/ratelimit/token_bucket.h"
#include "server/io/io.h"

namespace chatd {

// Whether a call on a UDP socket may have failed with `error` for an ICMP error of another
// datagram: all that Linux makes of one (icmp_err_convert, icmpv6_err_convert).
bool may_be_pending(int error);

// Thread: one at a time.
class ErrorQueue {
 public:
  static constexpr std::size_t kMaxPerDrain = 1024;

  // Above this rate, for a burst of a tenth of a second, they are not listened to: for a second,
  // and twice as long whenever it goes on.
  static constexpr std::uint32_t kMaxPerS = 20'000;
  static constexpr TimeMs kMinDeafMs = 1'000;
  static constexpr TimeMs kMaxDeafMs = 64'000;

  ErrorQueue(Io& io, int udp_fd, int family);
  ~ErrorQueue();
  ErrorQueue(const ErrorQueue&) = delete;  // the batch points into itself
  ErrorQueue& operator=(const ErrorQueue&) = delete;

  // Takes what the queue holds (at most kMaxPerDrain; the rest comes with the next call). Returns
  // how many entries there were, of whatever kind.
  std::size_t drain(TimeMs now_ms);
  // To be called now and then: listens again when it is time.
  void look_after(TimeMs now_ms) {
    if (!is_listening_ && now_ms >= deaf_until_ms_) listen_again(now_ms);
  }
  // In the place of another process, which may have stopped listening.
  void go_on() { is_listening_ = false; }

  // The destinations where nobody listens (ICMP port unreachable), one at a time, in no particular
  // order; nothing when there are no more.
  std::optional<Endpoint> take_refused();
  bool has_refused() const { return !refused_.empty(); }

 private:
  static constexpr std::size_t kMaxRefused =
      4096;                                  // not yet taken; more are forgotten, more will come
  static constexpr TimeMs kCalmMs = 10'000;  // then the flood is over
  struct Batch;

  std::size_t take();
  void stop_listening(TimeMs now_ms);
  void listen_again(TimeMs now_ms);

  Io& io_;
  int udp_fd_;
  int family_;
  std::unique_ptr<Batch> batch_;
  std::vector<Endpoint> refused_;
  TokenBucket heard_;
  bool is_listening_ = true;
  bool has_warned_ = false;
  TimeMs deaf_until_ms_ = 0;
  TimeMs deaf_ms_ = kMinDeafMs;  // the next time
};

}  // namespace chatd
