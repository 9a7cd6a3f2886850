// chatd: reads the command line, opens the sockets, runs the shard until a signal stops it.
#include <sodium/core.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <tl/expected.hpp>

#include "server/data/train_support.h"
#include "server/net/open_sockets.h"
#include "server/options.h"
#include "server/process/descriptor_limit.h"
#include "server/process/stop_signal.h"
#include "server/shard.h"

namespace chatd {
namespace {

void start_logging(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("chatd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

tl::expected<ShardSockets, std::string> open_sockets(const Options& options) {
  const auto tcp_address = resolve(options.host, options.tcp_port);
  if (!tcp_address) return tl::unexpected(tcp_address.error());
  auto tcp = open_tcp_listener(*tcp_address);
  if (!tcp) return tl::unexpected(tcp.error());
  const auto udp_address = resolve(options.host, options.udp_port);
  if (!udp_address) return tl::unexpected(udp_address.error());
  auto udp = open_udp_socket(*udp_address);
  if (!udp) return tl::unexpected(udp.error());
  return ShardSockets{.tcp_listener = std::move(*tcp),
                      .udp = std::move(*udp),
                      .family = udp_address->base.sa_family};
}

void set_buffer(int fd, int option, std::size_t wanted_bytes, const char* direction,
                const char* sysctl) {
  const std::size_t given_bytes = set_buffer_bytes(fd, option, wanted_bytes);
  if (given_bytes >= wanted_bytes) return;
  spdlog::warn(
      "the UDP {} buffer is {} KiB instead of {} KiB: bursts may be lost; raise it with sysctl "
      "-w {}={}",
      direction, given_bytes / 1024, wanted_bytes / 1024, sysctl, wanted_bytes);
}

tl::expected<RandomStream::Seed, std::string> kernel_seed() {
  RandomStream::Seed seed;
  if (::getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
    return tl::unexpected(std::string("getrandom: ") + std::strerror(errno));
  }
  return seed;
}

void log_totals(const Counters& counters) {
  std::string totals;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    if (counters[counter] == 0) continue;
    totals.append(" ").append(counter_name(counter)).append("=");
    totals += std::to_string(counters[counter]);
  }
  spdlog::info("totals:{}", totals.empty() ? " nothing happened" : totals);
}

struct Server {
  UniqueFd stop;
  std::unique_ptr<Shard> shard;
};

// Opens all that chatd needs and says that it is ready; an error is the reason why it is not.
tl::expected<Server, std::string> start(const Options& options) {
  if (sodium_init() < 0) return tl::unexpected<std::string>("libsodium does not start");
  auto stop = open_stop_signal();
  if (!stop) return tl::unexpected(stop.error());
  const auto enough = ensure_descriptors(options.limits.max_connections);
  if (!enough) return tl::unexpected(enough.error());
  auto sockets = open_sockets(options);
  if (!sockets) return tl::unexpected(sockets.error());
  const int udp_fd = sockets->udp.get();
  set_buffer(udp_fd, SO_RCVBUF, options.receive_buffer_bytes, "receive", "net.core.rmem_max");
  set_buffer(udp_fd, SO_SNDBUF, options.send_buffer_bytes, "send", "net.core.wmem_max");
  const auto seed = kernel_seed();
  if (!seed) return tl::unexpected(seed.error());

  const std::string tcp_text = to_text(local_endpoint(sockets->tcp_listener.get()));
  const Endpoint udp = local_endpoint(sockets->udp.get());
  const RelayConfig config{
      .limits = options.limits,
      .own_sockets = own_sockets_of(udp),
      .seed = *seed,
      .shard = 0,
      .trains = train_limits(udp_fd, sockets->family, options.gso, options.mtu_bytes)};
  auto shard = Shard::open(std::move(*sockets), config, stop->get());
  if (!shard) return tl::unexpected(shard.error());

  std::printf("chatd ready tcp=%s udp=%s\n", tcp_text.c_str(), to_text(udp).c_str());
  std::fflush(stdout);
  spdlog::info("serving: control on tcp {}, messages on udp {}", tcp_text, to_text(udp));
  return Server{.stop = std::move(*stop), .shard = std::move(*shard)};
}

// The tables are reserved at start, so that is when a limit that is too large shows.
tl::expected<Server, std::string> start_within_memory(const Options& options) {
  try {
    return start(options);
  } catch (const std::bad_alloc&) {
    return tl::unexpected<std::string>(
        "there is not enough memory for these limits: lower --max-members");
  }
}

}  // namespace
}  // namespace chatd

int main(int argc, char** argv) {
  const auto options = chatd::parse_options(argc, argv);
  if (!options) return options.error();
  chatd::start_logging(options->log_level);
  std::signal(SIGPIPE, SIG_IGN);  // who read our output or logs may go: we stay

  const auto server = chatd::start_within_memory(*options);
  if (!server) {
    spdlog::critical("chatd cannot start: {}", server.error());
    return 1;
  }
  server->shard->run();
  chatd::log_totals(server->shard->counters());
  spdlog::info("stopped");
  return 0;
}
