#include "server/listen/server_sockets.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>
#include <vector>

#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"

namespace chatd {
namespace {

// One socket a shard is all that a shard has, so a name with several addresses is served at one.
void tell_of_others(const std::string& host, const std::vector<SocketAddress>& addresses) {
  if (addresses.size() == 1) return;
  const IpAddress chosen = to_endpoint(to_listen_on(addresses)).ip;
  std::string others;
  for (const SocketAddress& address : addresses) {
    const IpAddress ip = to_endpoint(address).ip;
    if (ip != chosen) others.append(others.empty() ? "" : ", ").append(to_text(ip));
  }
  spdlog::warn(
      "the host '{}' has several addresses: chatd listens on {} alone, not on {}. Name the one "
      "that is meant with --host, or all of this machine's with --host ::",
      host, to_text(chosen), others);
}

// The chosen one of the host's addresses, with a port.
tl::expected<SocketAddress, std::string> listening_address(const std::string& host,
                                                           std::uint16_t port) {
  const auto addresses = resolve_all(host, port);
  if (!addresses) return tl::unexpected(addresses.error());
  return to_listen_on(*addresses);
}

}  // namespace

tl::expected<UniqueFd, std::string> open_tls_listener(const Options& options) {
  if (options.tls_port == kNoTlsPort) return UniqueFd();
  const bool is_auto = options.tls_port == kAutoTlsPort;
  const auto port = is_auto ? kUsualTlsPort : static_cast<std::uint16_t>(options.tls_port);
  const auto address = listening_address(options.host, port);
  if (!address) return tl::unexpected(address.error());
  auto listener = open_tcp_listener(*address, "--tls-port");
  if (listener || !is_auto) return listener;
  spdlog::warn(
      "{}. chatd serves without TLS (--tls-port auto); --tls-port off says that on purpose",
      listener.error());
  return UniqueFd();
}

tl::expected<ServerSockets, std::string> open_server_sockets(const Options& options) {
  const auto addresses = resolve_all(options.host, options.tcp_port);
  if (!addresses) return tl::unexpected(addresses.error());
  tell_of_others(options.host, *addresses);
  auto tcp = open_tcp_listener(to_listen_on(*addresses));
  if (!tcp) return tl::unexpected(tcp.error());
  auto tls = open_tls_listener(options);
  if (!tls) return tl::unexpected(tls.error());
  const auto udp_address = resolve(options.host, options.udp_port);
  if (!udp_address) return tl::unexpected(udp_address.error());
  auto udp = open_udp_sockets(*udp_address, options.shards);
  if (!udp) return tl::unexpected(udp.error());
  return ServerSockets{.tcp_listener = std::move(*tcp),
                       .tls_listener = std::move(*tls),
                       .udp = std::move(*udp),
                       .family = udp_address->base.sa_family};
}

}  // namespace chatd
