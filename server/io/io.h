// All that a shard asks of the kernel: its clock, its sockets, and waiting for them. The real one
// (kernel_io.h) passes each call on; the simulator (tests/sim) has a kernel of its own, in which
// buffers are full, devices fail and peers break off at the moment that a seed says.
//
// The calls are the kernel's, with its results: a negative number is a failure, and errno says
// which. So whatever a manual page says can happen, an implementation can let happen, and the code
// that has to live with it is the code that serves. A call costs one indirect jump; none of them is
// made for a single datagram of a batch (docs/adr/0017-io-port.md).
// Thread: any, as with the kernel.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "server/os/socket_address.h"
#include "server/os/unique_fd.h"
#include "server/os/wait.h"

namespace chatd {

class Io {
 public:
  Io() = default;
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;
  virtual ~Io() = default;

  // Monotonic.
  virtual TimeNs now_ns() = 0;
  TimeMs now_ms() { return to_ms(now_ns()); }

  // epoll(7), eventfd(2), poll(2).
  virtual int epoll_create() = 0;
  virtual int epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) = 0;
  virtual int epoll_wait(int epoll_fd, std::span<epoll_event> events, int timeout_ms) = 0;
  virtual int eventfd() = 0;
  virtual void wake(int event_fd) = 0;
  virtual int poll(std::span<pollfd> watched, int timeout_ms) = 0;

  // Datagrams, without waiting.
  virtual int receive_batch(int fd, std::span<mmsghdr> batch, int flags) = 0;  // recvmmsg(2)
  virtual int send_batch(int fd, std::span<mmsghdr> batch) = 0;                // sendmmsg(2)

  // Streams, without waiting.
  virtual int accept(int listener_fd, SocketAddress& peer) = 0;
  virtual ssize_t receive(int fd, std::span<char> buffer) = 0;
  virtual ssize_t send(int fd, std::span<const char> bytes) = 0;
  virtual int shut_down_sending(int fd) = 0;
  virtual void close(int fd) = 0;

  // Rare ones: what a socket is like, and the sockets of lanes (server/data/lanes.h). Where the
  // name is not the kernel's see server/os/open_sockets.h and server/os/socket_address.h.
  virtual int set_option(int fd, int level, int option, int value) = 0;
  virtual int get_option(int fd, int level, int option, void* value, socklen_t& size_bytes) = 0;
  virtual int local_address(int fd, SocketAddress& address) = 0;  // getsockname(2)
  virtual int unsent_bytes(int fd) = 0;                           // SIOCOUTQ
  virtual bool hear_errors(int udp_fd, int family, bool is_wanted) = 0;
  virtual std::size_t buffer_bytes_of(int fd, int option) = 0;
  virtual void set_buffer_bytes(int fd, int option, std::size_t wanted_bytes) = 0;
  virtual void set_fragment_bytes(int udp_fd, std::uint32_t mtu_bytes) = 0;
  virtual bool share_port(int udp_fd) = 0;
  virtual tl::expected<UniqueFd, std::string> open_sending_socket(int family,
                                                                  std::uint16_t port) = 0;
  virtual bool has_route(const Endpoint& destination, int family) = 0;
};

}  // namespace chatd
