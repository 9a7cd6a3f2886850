// The kernel itself.
#pragma once

#include "server/io/io.h"

namespace chatd {

class KernelIo : public Io {
 public:
  TimeNs now_ns() override { return monotonic_now_ns(); }

  int epoll_create() override;
  int epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) override;
  int epoll_wait(int epoll_fd, std::span<epoll_event> events, int timeout_ms) override;
  int eventfd() override;
  void wake(int event_fd) override;
  int poll(std::span<pollfd> watched, int timeout_ms) override;

  int receive_batch(int fd, std::span<mmsghdr> batch, int flags) override;
  int send_batch(int fd, std::span<mmsghdr> batch) override;

  int accept(int listener_fd, SocketAddress& peer) override;
  ssize_t receive(int fd, std::span<char> buffer) override;
  ssize_t send(int fd, std::span<const char> bytes) override;
  int shut_down_sending(int fd) override;
  void close(int fd) override;

  int set_option(int fd, int level, int option, int value) override;
  int get_option(int fd, int level, int option, void* value, socklen_t& size_bytes) override;
  int local_address(int fd, SocketAddress& address) override;
  int unsent_bytes(int fd) override;
  bool hear_errors(int udp_fd, int family, bool is_wanted) override;
  std::size_t buffer_bytes_of(int fd, int option) override;
  void set_buffer_bytes(int fd, int option, std::size_t wanted_bytes) override;
  void set_fragment_bytes(int udp_fd, std::uint32_t mtu_bytes) override;
  bool share_port(int udp_fd) override;
  tl::expected<UniqueFd, std::string> open_sending_socket(int family, std::uint16_t port) override;
  bool has_route(const Endpoint& destination, int family) override;
};

// It has no state, so one is enough.
Io& kernel_io();

}  // namespace chatd
