#include "bench/chatbench/target/udp/udp_target.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bench/baselines/bare_relay.h"
#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/target/join_pacer.h"
#include "client/net/tcp_connection.h"
#include "client/net/udp_socket.h"
#include "client/net/wait.h"

namespace chatd::bench {
namespace {

// Registrations on their way at a time: few enough for any receive buffer.
constexpr std::uint32_t kBatch = 128;
constexpr int kRetryMs = 50;
constexpr int kTurnMs = 5;
// RFC 8305, section 5, as for TCP (client/net/tcp_connection.h).
constexpr std::int64_t kAttemptDelayMs = 250;
// What comes in one call and is not a message.
constexpr int kMaxEmptyBatches = 64;
// The relays answer at once, or are not there.
constexpr std::int64_t kPatienceMs = 3'000;

// The first of the addresses that answers a registration.
tl::expected<Address, std::string> find_relay(const std::vector<Address>& addresses,
                                              const std::string& room_stem, int interrupt_fd) {
  const std::vector<Address> in_turn = client::by_turns(addresses);
  const std::string registration = registration_of(room_stem + "nobody");
  std::vector<client::UdpSocket> sockets;
  const std::int64_t begin_ms = client::now_ms();
  std::int64_t again_ms = begin_ms;
  while (client::now_ms() - begin_ms < kPatienceMs && !is_readable(interrupt_fd)) {
    const std::int64_t now_ms = client::now_ms();
    const auto wanted = static_cast<std::size_t>((now_ms - begin_ms) / kAttemptDelayMs) + 1;
    while (sockets.size() < std::min(wanted, in_turn.size())) {
      auto socket = client::UdpSocket::open(in_turn[sockets.size()], false);
      if (!socket) return tl::unexpected(std::move(socket.error().reason));
      sockets.push_back(std::move(*socket));
      again_ms = now_ms;
    }
    if (now_ms >= again_ms) {
      for (client::UdpSocket& socket : sockets) (void)socket.send(registration);
      again_ms = now_ms + kRetryMs;
    }
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      const auto received = sockets[i].receive();
      if (received.error == 0 && parse_acknowledgement(received.datagram)) return in_turn[i];
    }
    (void)client::wait_for(sockets.back().fd(), POLLIN, client::now_ms() + kTurnMs, interrupt_fd);
  }
  return tl::unexpected("nothing answers at UDP " + in_turn.front().to_string() +
                        (in_turn.size() > 1 ? " or the host's other addresses" : ""));
}

}  // namespace

// The relays keep the rooms of earlier runs, so each run's rooms have names of their own.
UdpTarget::UdpTarget(TargetConfig config)
    : config_(std::move(config)),
      room_stem_(std::to_string(::getpid()) + "-" + std::to_string(client::now_ms()) + "-") {}

tl::expected<Joined, std::string> UdpTarget::connect() {
  const Patience patience{.timeout_ms = config_.timeout_ms, .interrupt_fd = config_.interrupt_fd};
  const auto addresses = find_addresses(config_.host, config_.udp_port, patience);
  if (!addresses) return tl::unexpected(addresses.error());
  server_ = addresses->front();
  if (addresses->size() > 1) {
    const auto found = find_relay(*addresses, room_stem_, config_.interrupt_fd);
    if (!found) return tl::unexpected(found.error());
    server_ = *found;
  }
  if (auto opened = open_sockets(); !opened) return tl::unexpected(std::move(opened.error()));
  const auto joined = register_all();
  if (!joined) return tl::unexpected(joined.error());
  return Joined{.members = *joined, .connections = 0};
}

tl::expected<void, std::string> UdpTarget::open_sockets() {
  const std::uint32_t members = config_.population.members();
  const bool shares = MemberSockets::can_share(*server_) && !config_.one_socket_per_client;
  const std::uint32_t shared =
      std::max(1u, config_.sockets != 0 ? config_.sockets : config_.joins_per_connection);
  if (auto enough = ensure_descriptors(shares ? shared : members,
                                       shares ? "fewer --sockets" : "fewer members");
      !enough) {
    return enough;
  }
  auto sockets = MemberSockets::open(
      *server_, {.members = members,
                 .sockets = shared,
                 .first_address = config_.first_address,
                 .own = !shares,
                 .gro = config_.gro,
                 .gso = config_.gso,
                 .max_datagram_bytes = static_cast<std::uint32_t>(kMaxBareDatagramBytes),
                 .receive_buffer_bytes = config_.receive_buffer_bytes});
  if (!sockets) return tl::unexpected(std::move(sockets.error()));
  sockets_ = std::move(*sockets);
  prefixes_.resize(members);
  is_in_.resize(members);
  return {};
}

// A batch at a time: the next when all of the one before are in.
tl::expected<std::uint32_t, std::string> UdpTarget::register_all() {
  const std::uint32_t members = config_.population.members();
  const JoinPacer pace(config_.joins_per_s, client::now_ms());
  std::uint32_t joined = 0;
  std::uint32_t first = 0;
  std::uint32_t end = 0;
  std::int64_t progress_ms = client::now_ms();
  std::int64_t again_ms = 0;
  while (joined < members) {
    const std::int64_t now_ms = client::now_ms();
    if (joined == end) {
      first = end;
      end = std::min({members, first + kBatch, pace.allowed(now_ms, members)});
      progress_ms = now_ms;
      again_ms = now_ms;
    }
    if (now_ms >= again_ms) {
      register_again(first, end);
      again_ms = now_ms + kRetryMs;
    }
    pollfd readable{.fd = sockets_->poll_fd(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, kTurnMs);
    const std::uint32_t came = take_acknowledgements();
    joined += came;
    if (came > 0) progress_ms = now_ms;
    config_.on_progress(joined);
    if (is_readable(config_.interrupt_fd)) {
      return tl::unexpected("interrupted while members joined; " + std::to_string(joined) +
                            " were in");
    }
    if (joined < end && now_ms - progress_ms > std::min(config_.timeout_ms, kPatienceMs)) {
      return tl::unexpected("only " + std::to_string(joined) + " of " + std::to_string(members) +
                            " members got in: nothing answers at UDP " + server_->to_string() +
                            ". Does chatd_naive or chatd_lower_bound run there (--udp-port)?");
    }
  }
  return joined;
}

tl::expected<void, std::string> UdpTarget::check_server() {
  const auto found = find_relay({*server_}, room_stem_, config_.interrupt_fd);
  if (found || is_readable(config_.interrupt_fd)) return {};
  return tl::unexpected("the server is gone: " + found.error());
}

// All of first..end that are not in yet.
void UdpTarget::register_again(std::uint32_t first, std::uint32_t end) {
  for (std::uint32_t member = first; member < end; ++member) {
    if (is_in_[member]) continue;
    const std::uint32_t room = config_.population.room_of(member);
    sockets_->queue(member, registration_of(room_stem_ + std::to_string(room)), "");
  }
  sockets_->flush();
}

std::uint32_t UdpTarget::take_acknowledgements() {
  std::uint32_t came = 0;
  sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
    const auto prefix = parse_acknowledgement(datagram);
    if (!prefix || is_in_[member]) return;
    is_in_[member] = true;
    prefixes_[member].assign(*prefix).append(kBareMessageStart);
    ++came;
  });
  return came;
}

void UdpTarget::queue(std::uint32_t member, std::string_view payload) {
  sockets_->queue(member, prefixes_[member], payload);
}

void UdpTarget::receive(std::vector<Delivery>& out) {
  const std::size_t before = out.size();
  bool is_any = true;
  for (int i = 0; i < kMaxEmptyBatches && is_any && out.size() == before; ++i) {
    is_any = false;
    sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
      is_any = true;
      if (!datagram.starts_with(kBareMessageStart)) return;  // a registration's second answer
      out.push_back({.member = member, .payload = datagram.substr(kBareMessageStart.size())});
    });
  }
}

}  // namespace chatd::bench
