#include "server/os/local_addresses.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

#include "server/os/socket_address.h"

namespace chatd {
namespace {

std::uint8_t hint_of(const IpAddress& ip) {
  const auto& bytes = ip.bytes();
  return static_cast<std::uint8_t>(bytes[15] ^ (bytes[14] * 31u) ^ (bytes[7] * 17u));
}

}  // namespace

std::uint16_t LocalAddresses::via(const IpAddress& ip, std::uint32_t interface) {
  if (!are_kept_ || ip.is_unspecified()) return 0;
  const LocalAddress address{.ip = ip, .interface = ip.is_link_local() ? interface : 0};
  std::atomic<std::uint16_t>& hint = hints_[hint_of(ip)];
  std::uint16_t number = hint.load(std::memory_order_acquire);
  if (number == 0 || entries_[number - 1u].address != address) {
    number = look_up(address);
    if (number == 0) return 0;
    hint.store(number, std::memory_order_release);
  }
  std::atomic<State>& state = entries_[number - 1u].state;
  if (state.load(std::memory_order_relaxed) == State::kLost) state = State::kUsable;
  return number;
}

std::uint16_t LocalAddresses::via_of(int tcp_fd) {
  if (!are_kept_) return 0;
  SocketAddress own{};
  socklen_t length = sizeof own;
  if (::getsockname(tcp_fd, &own.base, &length) != 0) return 0;
  return via(to_endpoint(own).ip, own.base.sa_family == AF_INET6 ? own.v6.sin6_scope_id : 0);
}

// Whoever adds one holds the lock; entries that are counted do not change.
std::uint16_t LocalAddresses::look_up(const LocalAddress& address) {
  const auto find_among = [&](std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t i = first; i < last; ++i) {
      if (entries_[i].address == address) return static_cast<std::uint16_t>(i + 1);
    }
    return std::uint16_t{0};
  };
  const std::uint32_t known = count();
  if (const std::uint16_t number = find_among(0, known)) return number;
  const std::lock_guard lock(adding_);
  if (const std::uint16_t number = find_among(known, count())) return number;
  if (count() == kMaxAddresses) return 0;
  add(address, state_of(address));
  return static_cast<std::uint16_t>(count());
}

// The kernel has no way to a broadcast address for who did not ask for that. One that the machine
// has lost meanwhile may have no way, either, and may come back.
LocalAddresses::State LocalAddresses::state_of(const LocalAddress& address) {
  if (!address.ip.is_unicast()) return State::kUnfit;
  const int family = address.ip.is_v4() ? AF_INET : AF_INET6;
  if (address.interface != 0 || has_route({address.ip, 9}, family)) return State::kUsable;
  return is_own(address.ip, address.interface) ? State::kUnfit : State::kLost;
}

void LocalAddresses::add(const LocalAddress& address, State state) {
  Entry& entry = entries_[count()];
  entry.address = address;
  entry.state.store(state, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_release);
}

std::optional<LocalAddress> LocalAddresses::find(std::uint16_t via) const {
  if (via == 0 || via > count()) return std::nullopt;
  const Entry& entry = entries_[via - 1u];
  if (entry.state.load(std::memory_order_relaxed) != State::kUsable) return std::nullopt;
  return entry.address;
}

bool LocalAddresses::has_lost(std::uint16_t via) {
  const auto address = find(via);
  if (!address || is_own(address->ip, address->interface)) return false;
  entries_[via - 1u].state = State::kLost;
  return true;
}

std::vector<LocalAddress> LocalAddresses::all() const {
  std::vector<LocalAddress> all;
  std::transform(entries_.begin(), entries_.begin() + count(), std::back_inserter(all),
                 [](const Entry& entry) { return entry.address; });
  return all;
}

void LocalAddresses::go_on_from(const std::vector<LocalAddress>& addresses) {
  const std::lock_guard lock(adding_);
  for (const LocalAddress& address : addresses) {
    if (count() < kMaxAddresses) add(address, state_of(address));
  }
}

}  // namespace chatd
