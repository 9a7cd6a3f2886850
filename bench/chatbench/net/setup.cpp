#include "bench/chatbench/net/setup.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

#include "client/net/tcp_connection.h"
#include "client/net/unique_fd.h"
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

bool is_this_machine(const client::Address& address) {
  const client::Address any_port = address.with_port(0);
  const UniqueFd socket(::socket(any_port.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::bind(socket.get(), any_port.get(), any_port.size_bytes()) == 0;
}

namespace {

// Standard streams, epoll instances, files in /proc, and a few to spare.
constexpr rlim_t kOther = 32;

}  // namespace

tl::expected<void, std::string> ensure_descriptors(std::uint64_t sockets,
                                                   const std::string& instead) {
  const rlim_t needed = sockets + kOther;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return {};
  const rlimit wanted{.rlim_cur = needed, .rlim_max = std::max(limit.rlim_max, needed)};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) return {};
  return tl::unexpected("this takes " + std::to_string(needed) +
                        " file descriptors, and the limit is " + std::to_string(limit.rlim_max) +
                        ". Raise it with: ulimit -n " + std::to_string(needed) + " (or use " +
                        instead + ")");
}

}  // namespace chatd::bench
