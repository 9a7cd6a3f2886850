#include "server/shard/server.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <thread>
#include <utility>

#include "server/config/configuration.h"
#include "server/config/table.h"
#include "server/data/path_mtu.h"
#include "server/group/run_on_shards.h"
#include "server/group/shard_threads.h"
#include "server/io/kernel_io.h"
#include "server/os/kernel_random.h"
#include "server/os/open_sockets.h"
#include "server/os/state_directory.h"
#include "server/os/system_error.h"
#include "server/os/wait.h"
#include "server/shard/descriptor_limit.h"

namespace chatd {
namespace {

// What waits to be sent before a hand-over gets so long: nobody reads meanwhile.
constexpr TimeMs kSettleMs = 250;

void set_buffers(std::span<const int> sockets, int option, std::size_t wanted_bytes,
                 const char* direction, const char* sysctl) {
  std::size_t given_bytes = wanted_bytes;
  for (const int fd : sockets) given_bytes = set_buffer_bytes(fd, option, wanted_bytes);
  if (given_bytes >= wanted_bytes) return;
  spdlog::warn(
      "the UDP {} buffer is {} KiB instead of {} KiB: bursts may be lost; raise it with sysctl "
      "-w {}={}",
      direction, given_bytes / 1024, wanted_bytes / 1024, sysctl, wanted_bytes);
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

// What a hand-over cannot change: the sockets and the shards are there already.
tl::expected<void, std::string> check_place(const Options& options, const ServerState& state) {
  const char* const advice = " now: that takes a restart, which disconnects everybody";
  if (options.host != state.host || options.tcp_port != state.tcp_port ||
      options.udp_port != state.udp_port) {
    return tl::unexpected("it listens on --host " + state.host + " --tcp-port " +
                          std::to_string(state.tcp_port) + " --udp-port " +
                          std::to_string(state.udp_port) + ", and is to listen elsewhere" + advice);
  }
  if (options.shards != state.shards.size()) {
    return tl::unexpected("it has --shards " + std::to_string(state.shards.size()) +
                          ", and is to have " + std::to_string(options.shards) + advice);
  }
  return {};
}

std::string tls_port_text(const Options& options) {
  return config::text_of(config::option_named("tls.port"), options);
}

// The listener and the UDP sockets, which come first; `next` moves behind them.
tl::expected<ServerSockets, std::string> taken_sockets(std::vector<UniqueFd>::iterator& next,
                                                       std::uint32_t shards) {
  ServerSockets sockets;
  sockets.tcp_listener = std::move(*next++);
  for (std::uint32_t i = 0; i < shards; ++i) sockets.udp.push_back(std::move(*next++));
  socklen_t length = sizeof sockets.family;
  if (::getsockopt(sockets.tcp_listener.get(), SOL_SOCKET, SO_DOMAIN, &sockets.family, &length) !=
      0) {
    return tl::unexpected(system_error("getsockopt SO_DOMAIN"));
  }
  return sockets;
}

// A hand-over can change the TLS port, for no connection to it goes along: what the old process
// has, or has not, stays if this one is to listen at the same place. An old one that knows no TLS
// says nothing of a place.
tl::expected<UniqueFd, std::string> taken_tls_listener(const Options& options,
                                                       ImportedState& imported) {
  if (imported.state.tls_port == tls_port_text(options)) return std::move(imported.tls_listener);
  return open_tls_listener(options);
}

}  // namespace

tl::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options,
                                                                ServerSockets sockets) {
  return open(options, std::move(sockets), steering_program(options.shards));
}

tl::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options,
                                                                ServerSockets sockets,
                                                                const SteeringProgram& steering) {
  const auto map_key = kernel_random<KeyedHash::Key>();
  if (!map_key) return tl::unexpected(map_key.error());
  steer(sockets, steering);
  return open(options, std::move(sockets), *map_key, {});
}

tl::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options,
                                                                ServerSockets sockets,
                                                                const KeyedHash::Key& map_key,
                                                                const LeftBehind& left) {
  std::unique_ptr<Server> server(new Server(options));
  server->map_key_ = map_key;
  server->family_ = sockets.family;
  const auto tcp = bound_endpoint(sockets.tcp_listener.get());
  const auto udp = bound_endpoint(sockets.udp.front().get());
  if (!tcp || !udp) return tl::unexpected(tcp ? udp.error() : tcp.error());
  server->tcp_ = *tcp;
  server->udp_ = *udp;
  server->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!server->stop_) return tl::unexpected(system_error("eventfd"));
  auto group = ShardGroup::open(kernel_io(), options.shards);
  if (!group) return tl::unexpected(group.error());
  server->group_ = std::move(*group);
  if (sockets.tls_listener) {
    if (auto opened = server->open_tls(sockets.tls_listener, left); !opened) {
      return tl::unexpected(opened.error());
    }
  }
  if (server->udp_.ip.is_unspecified()) server->group_->local_addresses().keep();

  const TrainLimits trains =
      train_limits(sockets.udp.front().get(), sockets.family, options.gso, options.mtu_bytes);
  const std::size_t max_lanes = spare_lanes(options.limits.max_connections, options.shards);
  const auto reset_key = kept_secret(state_directory(), kResetKeyFile);
  if (!reset_key) return tl::unexpected(reset_key.error());
  auto bans = BanBook::open(state_directory(), left.bans);
  if (!bans) return tl::unexpected(bans.error());
  server->bans_ = std::move(*bans);
  server->bans_->configure(options.banned_addresses, options.banned_names);
  for (std::uint32_t i = 0; i < options.shards; ++i) {
    const auto seed = kernel_random<RandomStream::Seed>();
    if (!seed) return tl::unexpected(seed.error());
    const RelayConfig config{
        .limits = options.limits,
        .local_endpoints = own_sockets_of(server->udp_),
        .ports = {.udp = server->udp_.port,
                  .tls = server->tls() ? server->tls()->port : std::uint16_t{0}},
        .seed = *seed,
        .reset_key = *reset_key,
        .shard = static_cast<std::uint8_t>(i),
        .shards = ShardMap(options.shards, map_key),
        .trains = trains,
        .cipher = fastest_cipher(),
        .bans = server->bans_->list()};
    // The first one accepts connections for all (server/control/acceptor.h).
    ShardSockets own{.tcp_listener = i == 0 ? std::move(sockets.tcp_listener) : UniqueFd(),
                     .tls_listener = i == 0 ? std::move(sockets.tls_listener) : UniqueFd(),
                     .udp = std::move(sockets.udp[i]),
                     .family = sockets.family,
                     .max_lanes = max_lanes};
    auto shard = Shard::open(kernel_io(), std::move(own),
                             std::make_unique<Relay>(config, monotonic_now_ms()), *server->group_,
                             server->stop_.get());
    if (!shard) return tl::unexpected(shard.error());
    server->shards_.push_back(std::move(*shard));
  }
  return server;
}

tl::expected<std::unique_ptr<Server>, std::string> Server::take_over(const Options& options,
                                                                     ImportedState imported) {
  ServerState& state = imported.state;
  if (const auto same = check_place(options, state); !same) return tl::unexpected(same.error());
  auto next = imported.descriptors.begin();
  auto sockets = taken_sockets(next, options.shards);
  if (!sockets) return tl::unexpected(sockets.error());
  auto tls_listener = taken_tls_listener(options, imported);
  if (!tls_listener) return tl::unexpected(tls_listener.error());
  sockets->tls_listener = std::move(*tls_listener);
  // Nothing is steered anew: the program stays with the sockets, and to verify it takes datagrams
  // out of them, which are members' words now.
  auto server = open(options, std::move(*sockets), state.map_key,
                     {state.tls_certificate, state.tls_ticket_keys, state.bans});
  if (!server) return server;
  (*server)->group_->go_on_from(state.next_creation_order);
  (*server)->group_->local_addresses().go_on_from(state.local_addresses);
  for (std::size_t i = 0; i < state.shards.size(); ++i) {
    ShardState& shard = state.shards[i];
    const std::span<UniqueFd> connections(next, shard.connections.size());
    next += static_cast<std::ptrdiff_t>(shard.connections.size());
    const auto restored = (*server)->shards_[i]->restore(std::move(shard), connections);
    if (!restored) return tl::unexpected(restored.error());
  }
  return server;
}

// --- TLS -----------------------------------------------------------------------------------------

CertificatePlace Server::certificate_place(const Options& options) const {
  CertificatePlace place = config::certificate_files(options);
  place.state_directory = state_directory();
  place.host = options.host;
  place.endpoint = tcp_;
  return place;
}

tl::expected<void, std::string> Server::open_tls(const UniqueFd& listener, const LeftBehind& left) {
  const auto endpoint = bound_endpoint(listener.get());
  if (!endpoint) return tl::unexpected(endpoint.error());
  auto found = find_certificate(certificate_place(options_), left.tls_certificate);
  if (!found) return tl::unexpected(found.error());
  auto service = TlsService::open(*endpoint, tcp_.port, found->certificate, left.tls_ticket_keys);
  if (!service) return tl::unexpected(service.error());
  spdlog::info("TLS on tcp {}, with the certificate {}; its SHA-256 is {}", to_text(*endpoint),
               found->origin, found->certificate.fingerprint);
  self_made_certificate_ = std::move(found->self_made);
  group_->serve_tls(std::move(*service));
  return {};
}

tl::expected<void, std::string> Server::reload_certificate(const Options& options) {
  TlsService* const tls = group_->tls();
  if (tls == nullptr) return {};
  auto found = find_certificate(certificate_place(options), self_made_certificate_);
  if (!found) return tl::unexpected(found.error());
  // Nobody needs another session for the same certificate.
  if (found->certificate.fingerprint != tls->fingerprint()) {
    if (auto used = tls->use(found->certificate); !used) return used;
  }
  self_made_certificate_ = std::move(found->self_made);
  return {};
}

const Endpoint* Server::tls() const {
  const TlsService* const tls = group_->tls();
  return tls == nullptr ? nullptr : &tls->endpoint();
}

std::string Server::certificate_fingerprint() const {
  const TlsService* const tls = group_->tls();
  return tls == nullptr ? "" : tls->fingerprint();
}

void Server::close() {
  for (const auto& shard : shards_) shard->end_encrypted();
  shards_.clear();
}

tl::expected<void, std::string> Server::start() {
  take_wake_ups(stop_.get());  // of an earlier run
  stop_reason_ = StopReason::kStop;
  std::vector<std::function<void()>> bodies;
  for (const auto& shard : shards_) {
    bodies.emplace_back([this, &shard = *shard] {
      shard.run();
      if (stop_reason_ == StopReason::kStop) shard.end();
    });
  }
  threads_ = std::make_unique<ShardThreads>(std::move(bodies), stop_.get());
  auto started = threads_->start();
  if (!started && has_run_) {
    for (const auto& shard : shards_) shard->end();
  }
  return started;
}

void Server::run() {
  set_socket_options();
  has_run_ = true;
  threads_->run();
}

tl::expected<void, std::string> Server::stop(StopReason reason) {
  stop_reason_ = reason;
  return threads_->stop();
}

// Only when they are ours alone: an old process that goes on after all must find its sockets as
// they were.
void Server::set_socket_options() {
  if (std::exchange(has_socket_options_, true)) return;
  std::vector<int> udp;
  for (const auto& shard : shards_) udp.push_back(shard->udp_fd());
  set_buffers(udp, SO_RCVBUF, options_.receive_buffer_bytes, "receive", "net.core.rmem_max");
  set_buffers(udp, SO_SNDBUF, options_.send_buffer_bytes, "send", "net.core.wmem_max");
  if (group_->local_addresses().are_kept()) {
    for (const int fd : udp) ask_for_local_addresses(fd, family_);
  }
  if (family_ != AF_INET6) return;
  for (const int fd : udp) set_fragment_bytes(fd, options_.mtu_bytes);
}

// Shards leave each other shard messages, so it is over when all of them have found nothing to do.
// A network that takes nothing for a while costs what it was given, and does not stop an upgrade.
tl::expected<void, std::string> Server::quiesce() {
  TimeMs give_up_at_ms = monotonic_now_ms() + kSettleMs;
  for (bool has_dropped = false;;) {
    bool is_settled = true;
    bool is_blocked = false;
    for (const auto& shard : shards_) {
      if (shard->quiesce()) is_settled = false;
      is_blocked = is_blocked || shard->is_send_blocked();
    }
    if (is_settled) return {};
    if (monotonic_now_ms() >= give_up_at_ms) {
      if (std::exchange(has_dropped, true)) break;
      for (const auto& shard : shards_) shard->drop_unsent();
      give_up_at_ms = monotonic_now_ms() + kSettleMs;
    } else if (is_blocked) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return tl::unexpected<std::string>("its shards do not come to rest");
}

tl::expected<ExportedState, std::string> Server::export_state() {
  if (const auto settled = quiesce(); !settled) return tl::unexpected(settled.error());
  ExportedState exported;
  exported.state = {.host = options_.host,
                    .tcp_port = options_.tcp_port,
                    .udp_port = options_.udp_port,
                    .map_key = map_key_,
                    .next_creation_order = group_->creation_order(),
                    .local_addresses = group_->local_addresses().all(),
                    .shards = {}};
  exported.state.bans = bans_->to_json();
  exported.state.tls_port = tls_port_text(options_);
  exported.tls_listener = shards_.front()->tls_listener_fd();
  if (const TlsService* const tls = group_->tls()) {
    exported.state.tls_certificate = self_made_certificate_;
    exported.state.tls_ticket_keys = tls->ticket_keys();
  }
  exported.descriptors.push_back(shards_.front()->listener_fd());
  for (const auto& shard : shards_) exported.descriptors.push_back(shard->udp_fd());
  for (const auto& shard : shards_) {
    exported.state.shards.push_back(shard->state(exported.descriptors));
  }
  return exported;
}

tl::expected<void, std::string> Server::tell_shards(const std::function<void(Relay&)>& order) {
  const auto told = run_on_shards(*group_, [order](const TaskContext& site) {
    order(site.relay);
    return true;
  });
  if (!told) return tl::unexpected(told.error());
  return {};
}

tl::expected<void, std::string> Server::drain(int wake_fd) {
  group_->wake_when_empty(wake_fd);
  return tell_shards([](Relay& relay) { relay.start_drain(); });
}

tl::expected<void, std::string> Server::set_limits(const Limits& limits) {
  return tell_shards([limits](Relay& relay) { relay.set_limits(limits); });
}

tl::expected<void, std::string> Server::set_configured_bans(const Options& options) {
  bans_->configure(options.banned_addresses, options.banned_names);
  return tell_shards([&bans = *bans_](Relay& relay) { relay.set_bans(bans.list()); });
}

tl::expected<void, std::string> Server::check() {
  return tell_shards([](Relay&) {});
}

std::uint64_t Server::member_count() const {
  std::vector<ShardStats> figures;
  group_->read_figures(figures);
  std::uint64_t members = 0;
  for (const ShardStats& shard : figures) members += shard.members;
  return members;
}

Counters Server::counters() const {
  Counters sum;
  for (const auto& shard : shards_) sum.add(shard->counters());
  return sum;
}

}  // namespace chatd
