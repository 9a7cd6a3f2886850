// One end of a control connection: the socket as it is, or TLS on top of it. Whoever reads and
// writes does not know which. The calls are those of Io, with its results; tls_session.h says what
// is different there. Thread: the shard's.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <utility>

#include "server/io/io.h"
#include "server/os/unique_fd.h"
#include "server/tls/tls_session.h"

namespace chatd {

class Stream {
 public:
  Stream() = default;
  explicit Stream(UniqueFd fd, std::unique_ptr<TlsSession> tls = nullptr)
      : fd_(std::move(fd)), tls_(std::move(tls)) {}

  int fd() const { return fd_.get(); }
  bool is_encrypted() const { return tls_ != nullptr; }
  // Null: it is not encrypted.
  TlsSession* tls() const { return tls_.get(); }

  ssize_t receive(Io& io, std::span<char> buffer) {
    return tls_ ? tls_->receive(buffer) : io.receive(fd(), buffer);
  }
  ssize_t send(Io& io, std::span<const char> bytes) {
    return tls_ ? tls_->send(bytes) : io.send(fd(), bytes);
  }
  void shut_down_sending(Io& io) {
    if (tls_) tls_->close_notify();
    io.shut_down_sending(fd());
  }
  // Which takes it out of epoll.
  void close(Io& io) {
    if (tls_) tls_->close_notify();
    io.close(fd_.release());
  }

 private:
  UniqueFd fd_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace chatd
