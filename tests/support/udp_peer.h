// A client's UDP socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/support/deadline.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

struct Datagram {
  std::string bytes;
  SocketAddress from;
};

class UdpPeer {
 public:
  // Port 0 picks a free one. `receive_buffer_bytes` 0 keeps the system's default.
  explicit UdpPeer(std::string_view ip = "127.0.0.1", std::uint16_t port = 0,
                   int receive_buffer_bytes = 0);

  int fd() const { return fd_.get(); }
  const SocketAddress& address() const { return address_; }

  void send(const SocketAddress& to, std::string_view bytes);
  // Nothing at the deadline. Never use a short deadline to show that nothing comes: show that what
  // was sent after it comes first (see Member::hears_only).
  std::optional<Datagram> receive(Deadline deadline = kPatience);
  // What has already arrived.
  std::optional<Datagram> try_receive();
  // The socket is gone: from here on its port refuses with ICMP.
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
  SocketAddress address_;
};

}  // namespace chatd::test
