#include "server/group/steering.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "server/os/socket_address.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

constexpr TimeMs kPatienceMs = 1000;
// If short datagrams went by chance, all of them would reach one of two sockets once in 2^31
// starts.
constexpr std::size_t kShortProbes = 32;

std::string error_text(const char* call) {
  return std::string(call) + ": " + std::strerror(errno);
}

// A datagram that the program has to steer, as clients write them.
std::vector<std::string> probes_for(std::uint8_t shard) {
  const Token token(shard, 0, {});
  std::string hex = token.hex();
  std::string upper = hex;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char digit) { return digit >= 'a' ? static_cast<char>(digit - 0x20) : digit; });
  std::vector<std::string> probes;
  for (const std::size_t room_bytes : {std::size_t{1}, kMaxNameBytes}) {
    for (const std::string_view form :
         {std::string_view(hex), std::string_view(upper), token.raw()}) {
      std::string& probe = probes.emplace_back();
      probe.push_back(static_cast<char>(room_bytes));
      probe.push_back(static_cast<char>(form.size()));
      probe.append(room_bytes, 'r').append(form);
    }
  }
  return probes;
}

// Where the sockets can be reached on this machine: themselves, or loopback if they are on a
// wildcard.
std::vector<Endpoint> reachable_at(const Endpoint& bound, bool is_v6_socket) {
  if (!bound.ip.is_unspecified()) return {bound};
  std::vector<Endpoint> reachable{{IpAddress::from_v4({127, 0, 0, 1}), bound.port}};
  if (is_v6_socket) reachable.push_back({*IpAddress::parse("::1"), bound.port});
  return reachable;
}

// Sends probes from a socket that nobody else sends from, so that a probe is known by its source.
class ProbeSender {
 public:
  // Nothing when this machine does not speak that family, or has no way to the address.
  static std::optional<ProbeSender> to(const Endpoint& target) {
    ProbeSender sender;
    const int family = target.ip.is_v4() ? AF_INET : AF_INET6;
    SocketAddress address{};
    const socklen_t length = to_socket_address(target, family, address);
    sender.fd_ = UniqueFd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!sender.fd_ || ::connect(sender.fd_.get(), &address.base, length) != 0) return std::nullopt;
    sender.source_ = local_endpoint(sender.fd_.get());
    return sender;
  }

  bool send(std::string_view bytes) const {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  const Endpoint& source() const { return source_; }

 private:
  UniqueFd fd_;
  Endpoint source_;
};

// The sockets under test, and what reaches them.
class Receivers {
 public:
  explicit Receivers(std::span<const UniqueFd> sockets) : sockets_(sockets) {
    for (const UniqueFd& fd : sockets) {
      watched_.push_back({.fd = fd.get(), .events = POLLIN, .revents = 0});
    }
  }

  // The index of the socket that gets the next datagram from there; nothing if none does in time.
  std::optional<std::size_t> next_from(const Endpoint& source) {
    const TimeMs give_up_at_ms = monotonic_now_ms() + kPatienceMs;
    while (true) {
      for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if (take_one_from(i, source)) return i;
      }
      const TimeMs now_ms = monotonic_now_ms();
      if (now_ms >= give_up_at_ms || failures_ >= kMaxFailures) return std::nullopt;
      ::poll(watched_.data(), watched_.size(), static_cast<int>(give_up_at_ms - now_ms));
    }
  }

 private:
  // Throws away what comes from elsewhere.
  bool take_one_from(std::size_t index, const Endpoint& source) {
    while (true) {
      std::array<char, kMaxDatagramBytes> bytes;
      SocketAddress from{};
      socklen_t length = sizeof from;
      if (::recvfrom(sockets_[index].get(), bytes.data(), bytes.size(), MSG_DONTWAIT, &from.base,
                     &length) < 0) {
        // poll would return at once, again and again.
        if (errno != EAGAIN && errno != EINTR) ++failures_;
        return false;
      }
      if (to_endpoint(from) == source) return true;
    }
  }

  static constexpr int kMaxFailures = 64;  // of receiving, in all

  std::span<const UniqueFd> sockets_;
  std::vector<pollfd> watched_;
  int failures_ = 0;
};

tl::expected<void, std::string> try_shards(Receivers& receivers, const ProbeSender& sender,
                                           std::size_t shard_count) {
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    for (const std::string& probe : probes_for(static_cast<std::uint8_t>(shard))) {
      if (!sender.send(probe)) return Fault(error_text("send"));
      const auto reached = receivers.next_from(sender.source());
      if (!reached) return Fault("a probe for shard " + std::to_string(shard) + " got lost");
      if (*reached != shard) {
        return Fault("a probe for shard " + std::to_string(shard) + " came to shard " +
                     std::to_string(*reached));
      }
    }
  }
  return {};
}

// Each from a socket of its own: what spreads, spreads by the sender's address.
tl::expected<void, std::string> try_short_ones(Receivers& receivers, const Endpoint& target) {
  std::set<std::size_t> reached;
  for (std::size_t i = 0; i < kShortProbes; ++i) {
    const auto sender = ProbeSender::to(target);
    if (!sender) return Fault(error_text("socket"));
    if (!sender->send("x")) return Fault(error_text("send"));
    const auto socket = receivers.next_from(sender->source());
    if (!socket) return Fault("a short probe got lost");
    reached.insert(*socket);
  }
  if (reached.size() == 1) return Fault("short probes all came to one shard");
  return {};
}

tl::expected<void, std::string> verify(std::span<const UniqueFd> sockets) {
  Receivers receivers(sockets);
  const int first = sockets.front().get();
  int family = 0;
  socklen_t length = sizeof family;
  ::getsockopt(first, SOL_SOCKET, SO_DOMAIN, &family, &length);
  bool is_tried = false;
  for (const Endpoint& target : reachable_at(local_endpoint(first), family == AF_INET6)) {
    const auto sender = ProbeSender::to(target);
    if (!sender) continue;
    is_tried = true;
    auto steered = try_shards(receivers, *sender, sockets.size());
    if (!steered) return steered;
    auto spread = try_short_ones(receivers, target);
    if (!spread) return spread;
  }
  if (!is_tried) return Fault("no probe could be sent to our own address");
  return {};
}

}  // namespace

tl::expected<void, std::string> steer_datagrams(std::span<const UniqueFd> sockets,
                                                const SteeringProgram& program) {
  const int group = sockets.front().get();  // the program is the whole group's
  SteeringProgram copy = program;
  const sock_fprog attached{.len = static_cast<unsigned short>(copy.size()), .filter = copy.data()};
  if (::setsockopt(group, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) != 0) {
    return Fault(error_text("SO_ATTACH_REUSEPORT_CBPF"));
  }
  auto verified = verify(sockets);
  if (!verified) {
    const int none = 0;
    ::setsockopt(group, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof none);
  }
  return verified;
}

}  // namespace chatd
