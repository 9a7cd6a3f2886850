// The sockets that a service manager opens for chatd and passes to it (socket activation).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/support/die.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

// Blocking, as they are without NonBlocking= in a unit.
inline UniqueFd open_socket_at(const SocketAddress& address, int type, bool shares_port = false) {
  UniqueFd fd(::socket(address.family(), type | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (shares_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd.get(), address.get(), address.size()) != 0) die("bind");
  return fd;
}

inline UniqueFd listener_at(const SocketAddress& address) {
  UniqueFd fd = open_socket_at(address, SOCK_STREAM);
  if (::listen(fd.get(), SOMAXCONN) != 0) die("listen");
  return fd;
}

// What a .socket unit has: one listener, and so many UDP sockets on one port.
class SocketUnit {
 public:
  explicit SocketUnit(std::size_t udp_count, std::string_view ip = "127.0.0.1")
      : tcp_(listener_at({ip, 0})) {
    udp_.push_back(open_socket_at({ip, 0}, SOCK_DGRAM, udp_count > 1));
    while (udp_.size() < udp_count) udp_.push_back(open_socket_at(udp(), SOCK_DGRAM, true));
  }

  SocketAddress tcp() const { return SocketAddress::local_of(tcp_.get()); }
  SocketAddress udp() const { return SocketAddress::local_of(udp_.front().get()); }

  std::vector<int> descriptors() const {
    std::vector<int> all{tcp_.get()};
    for (const UniqueFd& fd : udp_) all.push_back(fd.get());
    return all;
  }

 private:
  UniqueFd tcp_;
  std::vector<UniqueFd> udp_;
};

}  // namespace chatd::test
