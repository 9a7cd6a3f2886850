// An IP address and port, for the socket calls and for messages.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::test {

class SocketAddress {
 public:
  SocketAddress();
  // `ip` is a literal address of either family, without brackets. Ends the test when it is not.
  SocketAddress(std::string_view ip, std::uint16_t port);

  static SocketAddress local_of(int socket_fd);

  int family() const { return storage_.ss_family; }
  std::string ip() const;
  std::uint16_t port() const;
  std::string to_string() const;  // 127.0.0.1:8000, [::1]:8000

  // `size()` is that of the family; a receiving call may write up to `capacity()` bytes.
  const sockaddr* get() const;
  sockaddr* get();
  socklen_t size() const;
  static constexpr socklen_t capacity() { return sizeof(sockaddr_storage); }

  bool operator==(const SocketAddress& other) const {
    return ip() == other.ip() && port() == other.port();
  }

 private:
  sockaddr_storage storage_{};
};

}  // namespace chatd::test
