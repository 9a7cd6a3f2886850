#include "server/control/listener.h"

#include <cerrno>

#include "server/os/socket_address.h"

namespace chatd {

std::optional<Listener::Accepted> Listener::accept(TimeMs now_ms) {
  for (int failures = 0; failures < kMaxFailures; ++failures) {
    SocketAddress peer{};
    UniqueFd fd(io_.accept(fd_.get(), peer));
    if (fd) {
      retry_at_ms_.reset();
      return Accepted{.fd = std::move(fd), .peer = to_endpoint(peer).ip};
    }
    switch (errno) {
      case EAGAIN:
        may_have_more_ = false;
        error_ = 0;
        retry_at_ms_.reset();
        return std::nullopt;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return wait_after(errno, now_ms);
      default:
        // EINTR, ECONNABORTED, and errors of that one connection (accept(2)): the next may be well.
        break;
    }
  }
  // Not of one connection, then: a security module may refuse all of them, for instance.
  return wait_after(errno, now_ms);
}

std::nullopt_t Listener::wait_after(int error, TimeMs now_ms) {
  error_ = error;
  retry_at_ms_ = now_ms + kRetryMs;
  return std::nullopt;
}

}  // namespace chatd
