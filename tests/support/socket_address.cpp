#include "tests/support/socket_address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "tests/support/die.h"

namespace chatd::test {
namespace {

// The storage holds either; copying keeps clear of aliasing rules.
template <typename Form>
Form as(const sockaddr_storage& storage) {
  Form form;
  std::memcpy(&form, &storage, sizeof form);
  return form;
}

}  // namespace

SocketAddress::SocketAddress() {
  storage_.ss_family = AF_UNSPEC;
}

SocketAddress::SocketAddress(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&storage_, &v4, sizeof v4);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&storage_, &v6, sizeof v6);
  } else {
    die("not a literal address");
  }
}

SocketAddress SocketAddress::local_of(int socket_fd) {
  SocketAddress address;
  socklen_t size = capacity();
  if (::getsockname(socket_fd, address.get(), &size) != 0) die("getsockname");
  return address;
}

std::string SocketAddress::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto v4 = as<sockaddr_in>(storage_);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (family() == AF_INET6) {
    const auto v6 = as<sockaddr_in6>(storage_);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

std::string SocketAddress::to_string() const {
  const std::string port_text = ":" + std::to_string(port());
  return family() == AF_INET6 ? "[" + ip() + "]" + port_text : ip() + port_text;
}

const sockaddr* SocketAddress::get() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}
sockaddr* SocketAddress::get() {
  return reinterpret_cast<sockaddr*>(&storage_);
}

socklen_t SocketAddress::size() const {
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

}  // namespace chatd::test
