#include "server/os/open_sockets.h"

#include <ifaddrs.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "server/os/socket_address.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

int family_of(const SocketAddress& address) {
  return address.base.sa_family;
}

// A socket without it serves, too, if less well: `what_is_missing` says how.
void set_flag(int fd, int level, int option, int value, const char* what_is_missing) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return;
  spdlog::warn("a socket option was refused ({}): {}", std::strerror(errno), what_is_missing);
}

Fault cannot_listen(const char* protocol, const SocketAddress& address, const char* flag) {
  const int error = errno;
  std::string text = std::string("cannot listen on ") + protocol + " " +
                     to_text(to_endpoint(address)) + ": " + std::strerror(error);
  if (error == EADDRINUSE) {
    text += std::string(". Is another chatd running there? Stop it, or choose another port with ") +
            flag + " (0 picks a free one)";
  } else if (error == EADDRNOTAVAIL) {
    text += ". No interface of this machine has that address: choose another with --host";
  } else if (error == EACCES) {
    text += std::string(". Ports below 1024 need privileges: choose another with ") + flag;
  } else {
    text += advice_for(error);
  }
  return Fault(std::move(text));
}

// One socket for both families where the operator asked for an IPv6 address: `::` then means
// everybody.
void serve_both_families(int fd, const SocketAddress& address) {
  if (family_of(address) == AF_INET6) {
    set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPv4 clients may not reach chatd here");
  }
}

socklen_t length_of(const SocketAddress& address) {
  return family_of(address) == AF_INET ? sizeof address.v4 : sizeof address.v6;
}

UniqueFd open_socket(const SocketAddress& address, int type) {
  return UniqueFd(::socket(family_of(address), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Fault cannot_share() {
  return Fault(system_error("setsockopt SO_REUSEPORT") +
               ". Shards cannot share a port: start chatd with --shards 1");
}

tl::expected<UniqueFd, std::string> open_udp_socket(const SocketAddress& address,
                                                    bool shares_port) {
  UniqueFd fd = open_socket(address, SOCK_DGRAM);
  if (!fd) return cannot_listen("UDP", address, "--udp-port");
  serve_both_families(fd.get(), address);
  set_udp_options(fd.get(), family_of(address));
  if (shares_port && !share_port(fd.get())) return cannot_share();
  if (::bind(fd.get(), &address.base, length_of(address)) != 0) {
    return cannot_listen("UDP", address, "--udp-port");
  }
  return fd;
}

std::optional<std::size_t> buffer_bytes(int fd, int option) {
  int given = 0;
  socklen_t length = sizeof given;
  if (::getsockopt(fd, SOL_SOCKET, option, &given, &length) != 0) return std::nullopt;
  return static_cast<std::size_t>(given) /
         2;  // the kernel doubles it for its bookkeeping (socket(7))
}

// Nothing, with the reason in errno, when the kernel does not say.
std::optional<std::vector<IpAddress>> addresses_of_machine() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    SocketAddress address{};
    std::memcpy(&address, entry->ifa_addr,
                family == AF_INET ? sizeof address.v4 : sizeof address.v6);
    addresses.push_back(to_endpoint(address).ip);
  }
  return addresses;
}

// A link-local address cannot be asked for without an interface, but stands in the list.
bool has_address(const IpAddress& ip) {
  if (!ip.is_link_local()) return is_own(ip, 0);
  const auto addresses = addresses_of_machine();
  return !addresses || std::find(addresses->begin(), addresses->end(), ip) != addresses->end();
}

}  // namespace

bool share_port(int fd) {
  const int on = 1;
  return ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
}

void set_tcp_options(int fd) {
  // Accepted sockets inherit it.
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1, "some answers come 40 ms later");
  // Of a room list that nobody reads the kernel takes no more than this.
  constexpr int kUnsentBytes = 128 * 1024;
  set_flag(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes,
           "room lists that are not read take more of the kernel's memory");
}

void set_udp_options(int fd, int family) {
  if (hear_errors(fd, family, true)) return;
  spdlog::warn(
      "a socket option was refused ({}): members whose port is closed leave only when they time "
      "out",
      std::strerror(errno));
}

bool hear_errors(int udp_fd, int family, bool is_wanted) {
  const int wanted = is_wanted ? 1 : 0;
  const bool is_set4 = ::setsockopt(udp_fd, IPPROTO_IP, IP_RECVERR, &wanted, sizeof wanted) == 0;
  if (family != AF_INET6) return is_set4;
  return ::setsockopt(udp_fd, IPPROTO_IPV6, IPV6_RECVERR, &wanted, sizeof wanted) == 0 && is_set4;
}

tl::expected<UniqueFd, std::string> open_tcp_listener(const SocketAddress& address,
                                                      const char* flag) {
  UniqueFd fd = open_socket(address, SOCK_STREAM);
  if (!fd) return cannot_listen("TCP", address, flag);
  // A restart must not wait for the last run's connections to time out.
  set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "a restart may have to wait for a minute");
  set_tcp_options(fd.get());
  serve_both_families(fd.get(), address);
  if (::bind(fd.get(), &address.base, length_of(address)) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    return cannot_listen("TCP", address, flag);
  }
  return fd;
}

tl::expected<UniqueFd, std::string> open_udp_socket(const SocketAddress& address) {
  return open_udp_socket(address, false);
}

// The first one binds alone, so that it fails if another program is there, and the kernel picks a
// port that is free: with SO_REUSEPORT set, it may join sockets of another process of this user.
// Then it opens the group for the others.
tl::expected<std::vector<UniqueFd>, std::string> open_udp_sockets(const SocketAddress& address,
                                                                  std::size_t count) {
  std::vector<UniqueFd> sockets;
  auto first = open_udp_socket(address);
  if (!first) return tl::unexpected(first.error());
  sockets.push_back(std::move(*first));
  if (count == 1) return sockets;
  if (!share_port(sockets.front().get())) return cannot_share();
  SocketAddress same{};
  socklen_t length = sizeof same;
  if (::getsockname(sockets.front().get(), &same.base, &length) != 0) {
    return tl::unexpected(system_error("getsockname"));
  }
  while (sockets.size() < count) {
    auto next = open_udp_socket(same, true);
    if (!next) return tl::unexpected(next.error());
    sockets.push_back(std::move(*next));
  }
  return sockets;
}

// Bound to a group that nobody is in, with the kernel told that this socket is not, either. The
// group is one of IPv4 for both families: at one of IPv6 the kernel lets a socket send to IPv6
// alone, at this one to both.
tl::expected<UniqueFd, std::string> open_sending_socket(int family, std::uint16_t port) {
  SocketAddress address{};
  address.base.sa_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    address.v4.sin_port = htons(port);
    address.v4.sin_addr.s_addr = htonl(0xefff'ffff);  // 239.255.255.255
  } else {
    address.v6.sin6_port = htons(port);
    in6_addr& ip = address.v6.sin6_addr;  // ::ffff:239.255.255.255
    std::fill(std::begin(ip.s6_addr) + 10, std::end(ip.s6_addr), 0xff);
    ip.s6_addr[12] = 0xef;
  }
  UniqueFd fd = open_socket(address, SOCK_DGRAM);
  if (!fd) return Fault(system_error("socket"));
  const int off = 0;
  const int may_be_cut = IP_PMTUDISC_DONT;
  ::setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
  ::setsockopt(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, &may_be_cut, sizeof may_be_cut);
  serve_both_families(fd.get(), address);
  set_udp_options(fd.get(), family);  // or the kernel does not say when a device is full
  if (!share_port(fd.get()) || ::bind(fd.get(), &address.base, length_of(address)) != 0) {
    return Fault("no further socket can send from UDP port " + std::to_string(port) + " (" +
                 std::strerror(errno) + ")");
  }
  return fd;
}

std::size_t buffer_bytes_of(int fd, int option) {
  return buffer_bytes(fd, option).value_or(0);
}

std::size_t set_buffer_bytes(int fd, int option, std::size_t wanted_bytes) {
  // Who opened the socket may have had the privilege that chatd lacks: setting it again would take
  // away from what is there.
  if (buffer_bytes(fd, option) == wanted_bytes) return wanted_bytes;
  const int wanted = static_cast<int>(wanted_bytes);
  const int forced = option == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;
  // The forced form passes the system's limit and needs CAP_NET_ADMIN.
  if (::setsockopt(fd, SOL_SOCKET, forced, &wanted, sizeof wanted) != 0) {
    ::setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted);
  }
  // A kernel that does not say is taken to have done as it was told.
  return buffer_bytes(fd, option).value_or(wanted_bytes);
}

void set_fragment_bytes(int udp_fd, std::uint32_t mtu_bytes) {
  constexpr std::uint32_t kSmallestMtu6 = 1280;  // RFC 8200
  set_flag(udp_fd, IPPROTO_IPV6, IPV6_MTU, static_cast<int>(std::max(mtu_bytes, kSmallestMtu6)),
           "long messages may be lost on IPv6 paths with a small MTU");
}

void ask_for_local_addresses(int udp_fd, int family) {
  const char* const wrong_source = "answers may leave from another address than the one called";
  if (family == AF_INET6) {
    set_flag(udp_fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, wrong_source);
  } else {
    set_flag(udp_fd, IPPROTO_IP, IP_PKTINFO, 1, wrong_source);
  }
}

LocalEndpoints own_sockets_of(const Endpoint& bound) {
  LocalEndpoints own;
  own.udp_port = bound.port;
  if (!bound.ip.is_unspecified()) {
    own.addresses.push_back(bound.ip);
    return own;
  }
  own.on_all_loopback = true;
  own.has_address = has_address;
  if (auto addresses = addresses_of_machine()) {
    own.addresses = std::move(*addresses);
  } else {
    spdlog::warn(
        "the addresses of this machine cannot be listed (getifaddrs: {}): who joins under one of "
        "them and chatd's port may not be refused",
        std::strerror(errno));
  }
  return own;
}

}  // namespace chatd
