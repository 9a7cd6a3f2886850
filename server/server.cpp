#include "server/server.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "server/data/train_support.h"
#include "server/net/open_sockets.h"
#include "server/process/system_error.h"
#include "server/shards/ask_shards.h"
#include "server/shards/shard_threads.h"

namespace chatd {
namespace {

void set_buffers(const std::vector<UniqueFd>& sockets, int option, std::size_t wanted_bytes,
                 const char* direction, const char* sysctl) {
  std::size_t given_bytes = wanted_bytes;
  for (const UniqueFd& fd : sockets) {
    given_bytes = set_buffer_bytes(fd.get(), option, wanted_bytes);
  }
  if (given_bytes >= wanted_bytes) return;
  spdlog::warn(
      "the UDP {} buffer is {} KiB instead of {} KiB: bursts may be lost; raise it with sysctl "
      "-w {}={}",
      direction, given_bytes / 1024, wanted_bytes / 1024, sysctl, wanted_bytes);
}

template <class Bytes>
tl::expected<Bytes, std::string> kernel_random() {
  Bytes bytes;
  for (std::size_t filled = 0; filled < bytes.size();) {
    const ssize_t count = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (count > 0) filled += static_cast<std::size_t>(count);
    if (count < 0 && errno != EINTR) return tl::unexpected(system_error("getrandom"));
  }
  return bytes;
}

// Once, in the log; a single shard has nothing to steer.
void steer(const ServerSockets& sockets, const SteeringProgram& program) {
  if (sockets.udp.size() == 1) return;
  const auto steered = steer_datagrams(sockets.udp, program);
  if (steered) {
    spdlog::info("the kernel steers datagrams to {} shards", sockets.udp.size());
  } else {
    spdlog::warn(
        "the kernel does not steer datagrams to their shards ({}): shards hand them over to each "
        "other instead, which works and costs more; --shards 1 may be faster here",
        steered.error());
  }
}

}  // namespace

tl::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options,
                                                                ServerSockets sockets) {
  return open(options, std::move(sockets), steering_program(options.shards));
}

tl::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options,
                                                                ServerSockets sockets,
                                                                const SteeringProgram& steering) {
  set_buffers(sockets.udp, SO_RCVBUF, options.receive_buffer_bytes, "receive", "net.core.rmem_max");
  set_buffers(sockets.udp, SO_SNDBUF, options.send_buffer_bytes, "send", "net.core.wmem_max");
  if (sockets.family == AF_INET6) {
    for (const UniqueFd& fd : sockets.udp) set_fragment_bytes(fd.get(), options.mtu_bytes);
  }
  steer(sockets, steering);

  std::unique_ptr<Server> server(new Server);
  const auto tcp = bound_endpoint(sockets.tcp_listener.get());
  const auto udp = bound_endpoint(sockets.udp.front().get());
  if (!tcp || !udp) return tl::unexpected(tcp ? udp.error() : tcp.error());
  server->tcp_ = *tcp;
  server->udp_ = *udp;
  server->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!server->stop_) return tl::unexpected(system_error("eventfd"));
  auto board = Switchboard::open(options.shards);
  if (!board) return tl::unexpected(board.error());
  server->board_ = std::move(*board);

  const auto map_key = kernel_random<KeyedHash::Key>();
  if (!map_key) return tl::unexpected(map_key.error());
  const TrainLimits trains =
      train_limits(sockets.udp.front().get(), sockets.family, options.gso, options.mtu_bytes);
  for (std::uint32_t i = 0; i < options.shards; ++i) {
    const auto seed = kernel_random<RandomStream::Seed>();
    if (!seed) return tl::unexpected(seed.error());
    const RelayConfig config{.limits = options.limits,
                             .own_sockets = own_sockets_of(server->udp_),
                             .seed = *seed,
                             .shard = static_cast<std::uint8_t>(i),
                             .shards = ShardMap(options.shards, *map_key),
                             .trains = trains};
    // The first one accepts connections for all (server/control/acceptor.h).
    ShardSockets own{.tcp_listener = i == 0 ? std::move(sockets.tcp_listener) : UniqueFd(),
                     .udp = std::move(sockets.udp[i]),
                     .family = sockets.family};
    auto shard = Shard::open(std::move(own), config, *server->board_, server->stop_.get());
    if (!shard) return tl::unexpected(shard.error());
    server->shards_.push_back(std::move(*shard));
  }
  return server;
}

tl::expected<void, std::string> Server::run(const std::function<void(int failed_fd)>& attend) {
  std::vector<std::function<void()>> bodies;
  for (const auto& shard : shards_) bodies.emplace_back([&shard] { shard->run(); });
  return run_shards(bodies, stop_.get(), attend);
}

tl::expected<void, std::string> Server::tell_shards(const std::function<void(Relay&)>& order) {
  const auto told = ask_shards(*board_, [order](const ErrandSite& site) {
    order(site.relay);
    return true;
  });
  if (!told) return tl::unexpected(told.error());
  return {};
}

tl::expected<void, std::string> Server::drain() {
  return tell_shards([](Relay& relay) { relay.start_drain(); });
}

tl::expected<void, std::string> Server::set_limits(const Limits& limits) {
  return tell_shards([limits](Relay& relay) { relay.set_limits(limits); });
}

tl::expected<void, std::string> Server::check() {
  return tell_shards([](Relay&) {});
}

std::uint64_t Server::member_count() const {
  std::vector<ShardFigures> figures;
  board_->read_figures(figures);
  std::uint64_t members = 0;
  for (const ShardFigures& shard : figures) members += shard.members;
  return members;
}

Counters Server::counters() const {
  Counters sum;
  for (const auto& shard : shards_) sum.add(shard->counters());
  return sum;
}

}  // namespace chatd
