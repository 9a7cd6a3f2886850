#include "server/os/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "server/os/system_error.h"

namespace chatd {

socklen_t to_socket_address(const Endpoint& endpoint, int family, SocketAddress& address) {
  if (family == AF_INET) {
    address.v4 = {};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(endpoint.port);
    const auto bytes = endpoint.ip.v4_bytes();
    std::memcpy(&address.v4.sin_addr, bytes.data(), bytes.size());
    return sizeof address.v4;
  }
  address.v6 = {};
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(endpoint.port);
  std::memcpy(&address.v6.sin6_addr, endpoint.ip.bytes().data(), endpoint.ip.bytes().size());
  return sizeof address.v6;
}

Endpoint to_endpoint(const SocketAddress& address) {
  if (address.base.sa_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &address.v4.sin_addr, bytes.size());
    return {IpAddress::from_v4(bytes), ntohs(address.v4.sin_port)};
  }
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &address.v6.sin6_addr, bytes.size());
  return {IpAddress::from_v6(bytes), ntohs(address.v6.sin6_port)};
}

std::string to_text(const IpAddress& ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (ip.is_v4()) {
    ::inet_ntop(AF_INET, ip.v4_bytes().data(), text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, ip.bytes().data(), text.data(), text.size());
  }
  return text.data();
}

std::string to_text(const Endpoint& endpoint) {
  const std::string ip = to_text(endpoint.ip);
  return (endpoint.ip.is_v4() ? ip : "[" + ip + "]") + ":" + std::to_string(endpoint.port);
}

tl::expected<std::vector<SocketAddress>, std::string> resolve_all(const std::string& host,
                                                                  std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    const std::string reason = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return tl::unexpected("cannot resolve the host '" + host + "': " + reason);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address{};
    std::memcpy(&address, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof address));
    const auto is_same = [&](const SocketAddress& other) {
      return to_endpoint(other) == to_endpoint(address);
    };
    if (std::none_of(addresses.begin(), addresses.end(), is_same)) addresses.push_back(address);
  }
  return addresses;
}

const SocketAddress& to_listen_on(const std::vector<SocketAddress>& addresses) {
  const auto is_loopback = [](const SocketAddress& address) {
    return to_endpoint(address).ip.is_loopback();
  };
  if (!std::all_of(addresses.begin(), addresses.end(), is_loopback)) return addresses.front();
  const auto v4 = std::find_if(addresses.begin(), addresses.end(), [](const SocketAddress& one) {
    return to_endpoint(one).ip.is_v4();
  });
  return v4 == addresses.end() ? addresses.front() : *v4;
}

tl::expected<SocketAddress, std::string> resolve(const std::string& host, std::uint16_t port) {
  const auto addresses = resolve_all(host, port);
  if (!addresses) return tl::unexpected(addresses.error());
  return to_listen_on(*addresses);
}

tl::expected<Endpoint, std::string> bound_endpoint(int fd) {
  SocketAddress address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, &address.base, &length) != 0) {
    return tl::unexpected(system_error("getsockname"));
  }
  return to_endpoint(address);
}

Endpoint local_endpoint(int fd) {
  return bound_endpoint(fd).value_or(Endpoint{});
}

}  // namespace chatd
