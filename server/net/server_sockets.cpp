#include "server/net/server_sockets.h"

#include <utility>

#include "server/net/open_sockets.h"
#include "server/net/socket_address.h"

namespace chatd {

tl::expected<ServerSockets, std::string> open_server_sockets(const Options& options) {
  const auto tcp_address = resolve(options.host, options.tcp_port);
  if (!tcp_address) return tl::unexpected(tcp_address.error());
  auto tcp = open_tcp_listener(*tcp_address);
  if (!tcp) return tl::unexpected(tcp.error());
  const auto udp_address = resolve(options.host, options.udp_port);
  if (!udp_address) return tl::unexpected(udp_address.error());
  auto udp = open_udp_sockets(*udp_address, options.shards);
  if (!udp) return tl::unexpected(udp.error());
  return ServerSockets{.tcp_listener = std::move(*tcp),
                       .udp = std::move(*udp),
                       .family = udp_address->base.sa_family};
}

}  // namespace chatd
