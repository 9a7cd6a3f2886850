#include "client/net/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "client/net/wait.h"

namespace chatd::client {

bool enable_udp_gro(int fd) {
  const int on = 1;
  return ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
}

std::size_t segment_bytes_of(const msghdr& received) {
  // CMSG_NXTHDR has no const form; it only reads.
  auto* const header = const_cast<msghdr*>(&received);
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO) continue;
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(control), sizeof bytes);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  return 0;
}

namespace {

// What a busy room sends while the terminal is slow. The kernel grants what it allows.
constexpr int kReceiveQueueBytes = 4 * 1024 * 1024;
constexpr std::int64_t kFullQueuePatienceMs = 200;

}  // namespace

UdpSocket::UdpSocket(UniqueFd socket, const Address& peer)
    : socket_(std::move(socket)), peer_(peer), buffer_(kMaxTrainBytes) {}

tl::expected<UdpSocket, Error> UdpSocket::open(const Address& server, bool gro) {
  UniqueFd socket(::socket(server.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    return failure(ErrorKind::kInternal, "cannot open a UDP socket: " + system_reason(errno));
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveQueueBytes, sizeof kReceiveQueueBytes);
  if (gro) enable_udp_gro(socket.get());
  if (::connect(socket.get(), server.get(), server.size_bytes()) != 0) {
    return failure(ErrorKind::kUnreachable,
                   "cannot reach " + server.to_string() + " over UDP: " + system_reason(errno));
  }
  return UdpSocket(std::move(socket), server);
}

Address UdpSocket::local_address() const {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  ::getsockname(fd(), reinterpret_cast<sockaddr*>(&local), &size);
  return {reinterpret_cast<const sockaddr*>(&local), size};
}

int UdpSocket::send(std::string_view datagram) {
  const std::int64_t deadline_ms = now_ms() + kFullQueuePatienceMs;
  for (;;) {
    if (::send(fd(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (wait_for(fd(), POLLOUT, deadline_ms, -1) == WaitResult::kTimedOut) return EAGAIN;
  }
}

int UdpSocket::take_error() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

UdpSocket::Received UdpSocket::receive() {
  if (has_more()) return {0, next_of_train()};
  iovec piece{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  alignas(cmsghdr) std::array<char, kTrainControlBytes> control{};
  for (;;) {
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t received = ::recvmsg(fd(), &header, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return {errno, {}};
    train_ = {buffer_.data(), static_cast<std::size_t>(received)};
    segment_bytes_ = segment_bytes_of(header);
    if (segment_bytes_ == 0) segment_bytes_ = train_.size();
    return {0, next_of_train()};
  }
}

std::string_view UdpSocket::next_of_train() {
  const std::string_view next = train_.substr(0, segment_bytes_);
  train_.remove_prefix(next.size());
  return next;
}

}  // namespace chatd::client
