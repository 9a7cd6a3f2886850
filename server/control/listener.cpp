#include "server/control/listener.h"

#include <cerrno>

#include "server/net/socket_address.h"

namespace chatd {

std::optional<Listener::Accepted> Listener::accept(TimeMs now_ms) {
  while (true) {
    SocketAddress peer{};
    socklen_t length = sizeof peer;
    UniqueFd fd(::accept4(fd_.get(), &peer.base, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      retry_at_ms_.reset();
      return Accepted{.fd = std::move(fd), .peer = to_endpoint(peer).ip};
    }
    switch (errno) {
      case EAGAIN:
        may_have_more_ = false;
        has_run_out_ = false;
        retry_at_ms_.reset();
        return std::nullopt;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        has_run_out_ = true;
        retry_at_ms_ = now_ms + kRetryMs;
        return std::nullopt;
      default:
        // EINTR, ECONNABORTED, and errors of that one connection (accept(2)): the next may be well.
        break;
    }
  }
}

}  // namespace chatd
