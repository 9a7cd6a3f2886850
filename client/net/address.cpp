#include "client/net/address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace chatd::client {

Address::Address(const sockaddr* address, socklen_t size_bytes)
    : size_bytes_(std::min<socklen_t>(size_bytes, sizeof storage_)) {
  std::memcpy(&storage_, address, size_bytes_);
}

const sockaddr* Address::get() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::uint16_t Address::port() const {
  if (family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

Address Address::with_port(std::uint16_t port) const {
  Address changed = *this;
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&changed.storage_)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&changed.storage_)->sin_port = htons(port);
  }
  return changed;
}

std::string Address::ip() const {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(get(), size_bytes_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) !=
      0) {
    return "?";
  }
  return host.data();
}

std::string Address::to_string() const {
  return (family() == AF_INET6 ? "[" + ip() + "]" : ip()) + ":" + std::to_string(port());
}

}  // namespace chatd::client
