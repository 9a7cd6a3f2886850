#include "bench/chatbench/target/bare/bare_target.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bench/baseline/registration.h"
#include "bench/chatbench/net/descriptor_limit.h"
#include "client/net/clock.h"

namespace chatd::bench {
namespace {

// Registrations on their way at a time: few enough for any receive buffer.
constexpr std::uint32_t kBatch = 128;
constexpr int kRetryMs = 50;
// The relays answer at once, or are not there.
constexpr std::int64_t kPatienceMs = 3'000;

}  // namespace

// The relays keep the rooms of earlier runs, so each run's rooms have names of their own.
BareTarget::BareTarget(TargetConfig config)
    : config_(std::move(config)),
      room_stem_(std::to_string(::getpid()) + "-" + std::to_string(client::now_ms()) + "-") {}

tl::expected<Joined, std::string> BareTarget::connect() {
  const std::uint32_t members = config_.population.members();
  const auto addresses = client::resolve(config_.host, config_.udp_port);
  if (!addresses) return tl::unexpected(addresses.error().reason);
  const client::Address& server = addresses->front();
  const bool shares = MemberSockets::can_share(server) && !config_.one_socket_per_client;
  const std::uint32_t shared =
      std::max(1u, config_.sockets != 0 ? config_.sockets : config_.joins_per_connection);
  if (auto enough = ensure_descriptors(shares ? shared : members,
                                       shares ? "fewer --sockets" : "fewer members");
      !enough) {
    return tl::unexpected(std::move(enough.error()));
  }
  auto sockets = MemberSockets::open(
      server, {.members = members,
               .sockets = shared,
               .own = !shares,
               .gro = config_.gro,
               .gso = config_.gso,
               .max_datagram_bytes = static_cast<std::uint32_t>(kMaxBareDatagramBytes),
               .receive_buffer_bytes = config_.receive_buffer_bytes});
  if (!sockets) return tl::unexpected(std::move(sockets.error()));
  sockets_ = std::move(*sockets);
  prefixes_.resize(members);
  is_in_.resize(members);

  std::uint32_t joined = 0;
  for (std::uint32_t first = 0; first < members; first += kBatch) {
    const std::uint32_t end = std::min(members, first + kBatch);
    std::int64_t progress_ms = client::now_ms();
    while (joined < end) {
      register_again(first, end);
      pollfd readable{.fd = sockets_->poll_fd(), .events = POLLIN, .revents = 0};
      std::uint32_t came = 0;
      while (joined + came<end&& ::poll(&readable, 1, kRetryMs)> 0) {
        came += take_acknowledgements();
      }
      joined += came;
      if (came > 0) progress_ms = client::now_ms();
      if (client::now_ms() - progress_ms > std::min(config_.timeout_ms, kPatienceMs)) {
        return tl::unexpected("only " + std::to_string(joined) + " of " + std::to_string(members) +
                              " members got in: nothing answers at UDP " + server.to_string() +
                              ". Does chatd_naive or chatd_floor run there (--udp-port)?");
      }
    }
    config_.on_progress(joined);
  }
  return Joined{.members = joined, .connections = 0};
}

// All of first..end that are not in yet.
void BareTarget::register_again(std::uint32_t first, std::uint32_t end) {
  for (std::uint32_t member = first; member < end; ++member) {
    if (is_in_[member]) continue;
    const std::uint32_t room = config_.population.room_of(member);
    sockets_->queue(member, registration_of(room_stem_ + std::to_string(room)), "");
  }
  sockets_->flush();
}

std::uint32_t BareTarget::take_acknowledgements() {
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

void BareTarget::queue(std::uint32_t member, std::string_view payload) {
  sockets_->queue(member, prefixes_[member], payload);
}

void BareTarget::receive(std::vector<Delivery>& out) {
  const std::size_t before = out.size();
  bool is_any = true;
  while (is_any && out.size() == before) {
    is_any = false;
    sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
      is_any = true;
      if (!datagram.starts_with(kBareMessageStart)) return;  // a registration's second answer
      out.push_back({.member = member, .payload = datagram.substr(kBareMessageStart.size())});
    });
  }
}

}  // namespace chatd::bench
