#include "tests/support/tcp_peer.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tests/support/die.h"
#include "tests/support/wait_until.h"

namespace chatd::test {

TcpPeer::TcpPeer(const SocketAddress& server, std::string_view source_ip)
    : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!fd_) die("socket");
  if (!source_ip.empty()) {
    const SocketAddress source(source_ip, 0);
    if (::bind(fd_.get(), source.get(), source.size()) != 0) die("bind");
  }
  // Each send leaves as a segment of its own: tests split frames on purpose.
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connected_ = ::connect(fd_.get(), server.get(), server.size()) == 0;
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
}

long TcpPeer::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

bool TcpPeer::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const long sent = send_some(bytes);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent == 0 && !wait_ready(fd_.get(), POLLOUT, deadline)) return false;
  }
  return true;
}

void TcpPeer::finish_sending() {
  ::shutdown(fd_.get(), SHUT_WR);
}

bool TcpPeer::receive_more(Deadline deadline) {
  std::array<char, 65536> bytes;
  while (end_ == StreamEnd::kOpen) {
    const ssize_t count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (count > 0) {
      received_.append(bytes.data(), static_cast<std::size_t>(count));
      return true;
    }
    if (count == 0) {
      end_ = StreamEnd::kOrderly;
    } else if (errno == EAGAIN) {
      if (!wait_ready(fd_.get(), POLLIN, deadline)) return false;
    } else if (errno != EINTR) {
      end_ = StreamEnd::kReset;
    }
  }
  return false;
}

}  // namespace chatd::test
