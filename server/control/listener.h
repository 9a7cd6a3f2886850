// Accepts connections without ever spinning or stranding anybody.
//
// With edge-triggered epoll an edge comes when a connection arrives, not when there is room for
// one. Out of descriptors, accept fails, the connections wait in the kernel's backlog, and no new
// edge tells when descriptors are free again. So the listener remembers that connections may be
// waiting, and tries again when one of ours has closed, or a little later (descriptors may also
// come free elsewhere). A reserve descriptor to accept and close them instead was not taken:
// waiting for a moment is better than being turned away.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "server/io/io.h"
#include "server/os/unique_fd.h"

namespace chatd {

class Listener {
 public:
  struct Accepted {
    UniqueFd fd;
    IpAddress peer;
  };

  Listener(Io& io, UniqueFd fd) : io_(io), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  void on_readable() { may_have_more_ = true; }
  void on_descriptor_freed() { retry_at_ms_.reset(); }

  // The next connection, or nothing for now.
  std::optional<Accepted> accept(TimeMs now_ms);

  // Whether accept() is worth a call now.
  bool is_ready(TimeMs now_ms) const {
    return may_have_more_ && (!retry_at_ms_ || now_ms >= *retry_at_ms_);
  }
  // When it will be, if connections have to wait.
  std::optional<TimeMs> retry_at() const { return retry_at_ms_; }
  // Why connections wait (errno), or 0. It is over when none waits any more.
  int error() const { return error_; }

 private:
  static constexpr TimeMs kRetryMs = 100;
  // Failures in a row that can be those of single connections.
  static constexpr int kMaxFailures = 64;

  std::nullopt_t wait_after(int error, TimeMs now_ms);

  Io& io_;
  UniqueFd fd_;
  bool may_have_more_ = true;
  int error_ = 0;
  std::optional<TimeMs> retry_at_ms_;
};

}  // namespace chatd
