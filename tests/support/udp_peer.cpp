#include "tests/support/udp_peer.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tests/support/die.h"
#include "tests/support/wait_until.h"

namespace chatd::test {

UdpPeer::UdpPeer(std::string_view ip, std::uint16_t port, int receive_buffer_bytes) {
  const SocketAddress local(ip, port);
  fd_ = UniqueFd(::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) die("socket");
  if (receive_buffer_bytes > 0) {
    // The second call needs rights that the first does not, and is then not bound by rmem_max.
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  if (::bind(fd_.get(), local.get(), local.size()) != 0) die("bind");
  address_ = SocketAddress::local_of(fd_.get());
}

void UdpPeer::send(const SocketAddress& to, std::string_view bytes) {
  while (::sendto(fd_.get(), bytes.data(), bytes.size(), 0, to.get(), to.size()) < 0) {
    if (errno == EAGAIN) {
      wait_ready(fd_.get(), POLLOUT, std::chrono::seconds(1));
    } else if (errno != EINTR) {
      die("sendto");
    }
  }
}

std::optional<Datagram> UdpPeer::try_receive() {
  std::array<char, 65536> bytes;
  Datagram datagram;
  socklen_t from_size = SocketAddress::capacity();
  const ssize_t count =
      ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, datagram.from.get(), &from_size);
  if (count < 0) return std::nullopt;
  datagram.bytes.assign(bytes.data(), static_cast<std::size_t>(count));
  return datagram;
}

std::optional<Datagram> UdpPeer::receive(Deadline deadline) {
  while (true) {
    if (auto datagram = try_receive()) return datagram;
    if (!wait_ready(fd_.get(), POLLIN, deadline)) return std::nullopt;
  }
}

}  // namespace chatd::test
