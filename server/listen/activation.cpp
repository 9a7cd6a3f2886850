#include "server/listen/server_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

// Of the socket units whose listener is the TLS port's.
constexpr std::string_view kTlsName = "tls";

struct PassedDescriptor {
  UniqueFd fd;
  bool is_for_tls = false;
};

tl::expected<std::vector<PassedDescriptor>, std::string> passed_descriptors() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    return Fault(std::string("the sockets that LISTEN_FDS and LISTEN_PID in the environment speak "
                             "of cannot be taken (") +
                 std::strerror(-count) +
                 "): start chatd by its .socket unit, or without these variables");
  }
  std::vector<PassedDescriptor> passed;
  passed.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    passed.push_back({UniqueFd(SD_LISTEN_FDS_START + i), names[i] == kTlsName});
    std::free(names[i]);
  }
  std::free(names);
  return passed;
}

// Every socket that is passed to chatd is one of these.
enum class Kind { kTcpListener, kUdp, kOther };

tl::expected<int, std::string> option_of(const UniqueFd& fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(fd.get(), SOL_SOCKET, option, &value, &length) == 0) return value;
  return Fault(system_error("getsockopt"));
}

// Not by the type alone: SCTP has streams, too (SocketProtocol=).
tl::expected<Kind, std::string> kind_of(const UniqueFd& fd) {
  // A FIFO, or a file: the unit may ask for such things as well.
  if (::sd_is_socket(fd.get(), AF_UNSPEC, 0, -1) == 0) return Kind::kOther;
  const auto family = option_of(fd, SO_DOMAIN);
  const auto type = family ? option_of(fd, SO_TYPE) : family;
  const auto protocol = type ? option_of(fd, SO_PROTOCOL) : type;
  const auto listens = protocol ? option_of(fd, SO_ACCEPTCONN) : protocol;
  if (!listens) return Fault(listens.error());
  if (*family != AF_INET && *family != AF_INET6) return Kind::kOther;
  if (*type == SOCK_STREAM && *protocol == IPPROTO_TCP && *listens != 0) return Kind::kTcpListener;
  if (*type == SOCK_DGRAM && *protocol == IPPROTO_UDP) return Kind::kUdp;
  return Kind::kOther;
}

tl::expected<ServerSockets, std::string> tell_apart(std::vector<PassedDescriptor>&& passed) {
  ServerSockets sockets;
  std::size_t listeners = 0;
  std::size_t tls_listeners = 0;
  for (auto& [fd, is_for_tls] : passed) {
    const auto kind = kind_of(fd);
    if (!kind) return Fault(kind.error());
    if (*kind == Kind::kOther) {
      return Fault(
          "descriptor " + std::to_string(fd.get()) +
          " was passed, and it is neither a listening TCP socket nor a UDP socket: the "
          ".socket unit may have ListenStream= and ListenDatagram= with a port, Accept=no, "
          "and no other Listen...= and no SocketProtocol=");
    }
    if (*kind == Kind::kTcpListener && is_for_tls) {
      ++tls_listeners;
      sockets.tls_listener = std::move(fd);
    } else if (*kind == Kind::kTcpListener) {
      ++listeners;
      sockets.tcp_listener = std::move(fd);
    } else {
      sockets.udp.push_back(std::move(fd));
    }
  }
  if (tls_listeners > 1) {
    return Fault("chatd serves TLS on 1 listening socket and " + std::to_string(tls_listeners) +
                 " were passed with the name \"tls\": leave one ListenStream=... in the .socket "
                 "unit with FileDescriptorName=tls");
  }
  if (listeners == 1) return sockets;
  return Fault("chatd needs 1 listening TCP socket and " + std::to_string(listeners) +
               (listeners == 0 ? " were passed: add ListenStream=... to the .socket unit"
                               : " were passed: leave one ListenStream=... in the .socket unit"));
}

std::string times(std::size_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

std::string advice_for_count(std::size_t passed, std::size_t shards) {
  std::string advice;
  if (passed > shards) {
    advice = "remove ListenDatagram=... " + times(passed - shards);
  } else if (shards == 1) {
    return "add ListenDatagram=... to the .socket unit";
  } else {
    advice = "add ListenDatagram=... " + times(shards - passed);
    advice += passed == 0 ? ", with ReusePort=yes" : " more, with ReusePort=yes";
  }
  if (passed > 0) advice += ", or set shards = " + std::to_string(passed);
  return advice;
}

tl::expected<void, std::string> check_count(std::size_t passed, std::size_t shards) {
  if (passed == shards) return {};
  return Fault(counted(shards, "shard") + (shards == 1 ? " needs " : " need ") +
               counted(shards, "UDP socket") + " and " + std::to_string(passed) +
               (passed == 1 ? " was passed: " : " were passed: ") +
               advice_for_count(passed, shards));
}

// One without an address would get one with the first datagram that it sends, which no member
// knows; one that is connected hears nobody else.
tl::expected<void, std::string> check_place(const UniqueFd& fd) {
  const auto bound = bound_endpoint(fd.get());
  if (!bound) return Fault(bound.error());
  if (bound->port == 0) {
    return Fault("descriptor " + std::to_string(fd.get()) +
                 " is a UDP socket without a port: whoever passes it has to bind it first, as "
                 "ListenDatagram=... in a .socket unit does");
  }
  SocketAddress peer{};
  socklen_t length = sizeof peer;
  if (::getpeername(fd.get(), &peer.base, &length) != 0) return {};
  return Fault("descriptor " + std::to_string(fd.get()) + " is a UDP socket that is connected to " +
               to_text(to_endpoint(peer)) +
               " and hears nobody else: whoever passes it must not connect it");
}

// Shards share one port.
tl::expected<void, std::string> check_sharing(const std::vector<UniqueFd>& udp) {
  const auto first = bound_endpoint(udp.front().get());
  if (!first) return Fault(first.error());
  for (const UniqueFd& fd : udp) {
    if (auto placed = check_place(fd); !placed) return placed;
    const auto bound = bound_endpoint(fd.get());
    if (!bound) return Fault(bound.error());
    if (bound->ip != first->ip || bound->port != first->port) {
      return Fault("the UDP sockets that were passed are bound to " + to_text(*first) + " and " +
                   to_text(*bound) +
                   ": name the same address and port in every ListenDatagram= of the .socket unit");
    }
    const auto shares = option_of(fd, SO_REUSEPORT);
    if (!shares) return Fault(shares.error());
    if (udp.size() > 1 && *shares == 0) {
      return Fault(counted(udp.size(), "UDP socket") +
                   " were passed that cannot share a port (no SO_REUSEPORT): set ReusePort=yes in "
                   "the .socket unit");
    }
  }
  return {};
}

tl::expected<int, std::string> common_family(const ServerSockets& sockets) {
  auto family = option_of(sockets.tcp_listener, SO_DOMAIN);
  if (family && sockets.tls_listener) {
    const auto of_tls = option_of(sockets.tls_listener, SO_DOMAIN);
    if (!of_tls) return Fault(of_tls.error());
    if (*of_tls != *family) {
      return Fault(
          "the two listening sockets that were passed, with TLS and without, are not of the same "
          "family: name addresses of one family in both .socket units");
    }
  }
  for (const UniqueFd& fd : sockets.udp) {
    const auto other = option_of(fd, SO_DOMAIN);
    if (!family || !other) return Fault(family ? other.error() : family.error());
    if (*other == *family) continue;
    const std::string tcp = *family == AF_INET ? "IPv4" : "IPv6";
    const std::string udp = *other == AF_INET ? "IPv4" : "IPv6";
    return Fault("the TCP socket that was passed is of " + tcp + " and a UDP socket of " + udp +
                 ": name addresses of one family in ListenStream= and ListenDatagram= of the "
                 ".socket unit (a port alone means IPv6, which serves IPv4 as well)");
  }
  return family;
}

tl::expected<void, std::string> stop_blocking(const UniqueFd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags >= 0 && ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0) return {};
  return Fault(system_error("fcntl O_NONBLOCK"));
}

// The manager sets close-on-exec itself (sd_listen_fds), and bound the addresses as its unit says.
tl::expected<void, std::string> prepare(const ServerSockets& sockets) {
  auto done = stop_blocking(sockets.tcp_listener);
  set_tcp_options(sockets.tcp_listener.get());
  if (sockets.tls_listener) {
    if (done) done = stop_blocking(sockets.tls_listener);
    set_tcp_options(sockets.tls_listener.get());
  }
  for (const UniqueFd& fd : sockets.udp) {
    if (done) done = stop_blocking(fd);
    set_udp_options(fd.get(), sockets.family);
  }
  return done;
}

tl::expected<ServerSockets, std::string> adopt(std::vector<PassedDescriptor> passed,
                                               std::uint32_t shards) {
  auto sockets = tell_apart(std::move(passed));
  if (!sockets) return sockets;
  const auto enough = check_count(sockets->udp.size(), shards);
  if (!enough) return Fault(enough.error());
  const auto family = common_family(*sockets);
  if (!family) return Fault(family.error());
  sockets->family = *family;
  const auto shared = check_sharing(sockets->udp);
  if (!shared) return Fault(shared.error());
  const auto prepared = prepare(*sockets);
  if (!prepared) return Fault(prepared.error());
  return sockets;
}

}  // namespace

tl::expected<std::optional<ServerSockets>, std::string> take_passed_sockets(std::uint32_t shards) {
  auto passed = passed_descriptors();
  if (!passed) return Fault(passed.error());
  if (passed->empty()) return std::nullopt;
  auto sockets = adopt(std::move(*passed), shards);
  if (!sockets) return Fault(sockets.error());
  spdlog::info(
      "the service manager has passed the sockets: tcp {}, udp {}, tls {}; --host, --tcp-port, "
      "--udp-port and --tls-port are not used",
      to_text(local_endpoint(sockets->tcp_listener.get())),
      to_text(local_endpoint(sockets->udp.front().get())),
      sockets->tls_listener ? to_text(local_endpoint(sockets->tls_listener.get()))
                            : "none (chatd-tls.socket)");
  return std::move(*sockets);
}

}  // namespace chatd
