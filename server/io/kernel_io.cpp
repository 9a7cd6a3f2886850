#include "server/io/kernel_io.h"

#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"
#include "server/os/wait.h"

namespace chatd {

Io& kernel_io() {
  static KernelIo io;
  return io;
}

int KernelIo::epoll_create() {
  return ::epoll_create1(EPOLL_CLOEXEC);
}

int KernelIo::epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int KernelIo::epoll_wait(int epoll_fd, std::span<epoll_event> events, int timeout_ms) {
  return ::epoll_wait(epoll_fd, events.data(), static_cast<int>(events.size()), timeout_ms);
}

int KernelIo::eventfd() {
  return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void KernelIo::wake(int event_fd) {
  chatd::wake(event_fd);
}

int KernelIo::poll(std::span<pollfd> watched, int timeout_ms) {
  return ::poll(watched.data(), watched.size(), timeout_ms);
}

int KernelIo::receive_batch(int fd, std::span<mmsghdr> batch, int flags) {
  return ::recvmmsg(fd, batch.data(), static_cast<unsigned>(batch.size()), flags | MSG_DONTWAIT,
                    nullptr);
}

int KernelIo::send_batch(int fd, std::span<mmsghdr> batch) {
  return ::sendmmsg(fd, batch.data(), static_cast<unsigned>(batch.size()),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

int KernelIo::accept(int listener_fd, SocketAddress& peer) {
  socklen_t length = sizeof peer;
  return ::accept4(listener_fd, &peer.base, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t KernelIo::receive(int fd, std::span<char> buffer) {
  return ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
}

ssize_t KernelIo::send(int fd, std::span<const char> bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int KernelIo::shut_down_sending(int fd) {
  return ::shutdown(fd, SHUT_WR);
}

void KernelIo::close(int fd) {
  ::close(fd);
}

int KernelIo::set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

int KernelIo::get_option(int fd, int level, int option, void* value, socklen_t& size_bytes) {
  return ::getsockopt(fd, level, option, value, &size_bytes);
}

int KernelIo::local_address(int fd, SocketAddress& address) {
  socklen_t length = sizeof address;
  return ::getsockname(fd, &address.base, &length);
}

int KernelIo::unsent_bytes(int fd) {
  int unsent_bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &unsent_bytes) == 0 ? unsent_bytes : -1;
}

bool KernelIo::hear_errors(int udp_fd, int family, bool is_wanted) {
  return chatd::hear_errors(udp_fd, family, is_wanted);
}

std::size_t KernelIo::buffer_bytes_of(int fd, int option) {
  return chatd::buffer_bytes_of(fd, option);
}

void KernelIo::set_buffer_bytes(int fd, int option, std::size_t wanted_bytes) {
  chatd::set_buffer_bytes(fd, option, wanted_bytes);
}

void KernelIo::set_fragment_bytes(int udp_fd, std::uint32_t mtu_bytes) {
  chatd::set_fragment_bytes(udp_fd, mtu_bytes);
}

bool KernelIo::share_port(int udp_fd) {
  return chatd::share_port(udp_fd);
}

tl::expected<UniqueFd, std::string> KernelIo::open_sending_socket(int family, std::uint16_t port) {
  return chatd::open_sending_socket(family, port);
}

bool KernelIo::has_route(const Endpoint& destination, int family) {
  return chatd::has_route(destination, family);
}

}  // namespace chatd
