#include "bench/chatbench/net/find_server.h"

#include <poll.h>

#include "client/net/tcp_connection.h"
#include "client/net/wait.h"

namespace chatd::bench {

tl::expected<std::vector<Address>, std::string> find_addresses(const std::string& host,
                                                               std::uint16_t port,
                                                               const Patience& patience) {
  auto found =
      client::resolve(host, port, client::now_ms() + patience.timeout_ms, patience.interrupt_fd);
  if (!found) return tl::unexpected(std::move(found.error().reason));
  return std::move(*found);
}

tl::expected<Address, std::string> find_tcp_server(const std::string& host, std::uint16_t port,
                                                   const Patience& patience,
                                                   std::string_view server) {
  const auto addresses = find_addresses(host, port, patience);
  if (!addresses) return tl::unexpected(addresses.error());
  if (addresses->size() == 1) return addresses->front();
  const auto connected = client::connect_to_any(*addresses, client::now_ms() + patience.timeout_ms,
                                                patience.interrupt_fd, server);
  if (!connected) return tl::unexpected(connected.error().reason);
  return connected->peer;
}

bool is_readable(int fd) {
  pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) > 0;
}

}  // namespace chatd::bench
