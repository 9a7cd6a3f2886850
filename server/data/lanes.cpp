#include "server/data/lanes.h"

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <utility>

#include "server/os/socket_address.h"

namespace chatd {

Lanes::Lanes(Io& io, int udp_fd, int family, std::size_t max_whole_bytes, std::size_t max_lanes)
    : io_(io),
      udp_fd_(udp_fd),
      family_(family),
      max_whole_bytes_(max_whole_bytes),
      max_lanes_(max_lanes) {
  lanes_.reserve(max_lanes_);
  by_ip_.reserve(max_lanes_);
}

std::optional<int> Lanes::find(const IpAddress& ip) {
  const auto found = by_ip_.find(ip);
  if (found == by_ip_.end()) return std::nullopt;
  const Lane& lane = lanes_[found->second];
  if (!is_empty(lane)) return lane.fd.get();
  give_back(found->second);
  return std::nullopt;
}

std::optional<int> Lanes::take(const IpAddress& ip, TimeMs now_ms) {
  if (in_use_ == lanes_.size() && looked_at_ms_ != now_ms) {
    looked_at_ms_ = now_ms;
    give_back_empty_ones();
  }
  if (in_use_ == lanes_.size() && !open()) return std::nullopt;
  Lane& lane = lanes_[in_use_];
  lane.ip = ip;
  by_ip_[ip] = in_use_++;
  return lane.fd.get();
}

bool Lanes::is_empty(const Lane& lane) const {
  return io_.unsent_bytes(lane.fd.get()) == 0;
}

// The last one in use takes its place.
void Lanes::give_back(std::size_t index) {
  by_ip_.erase(lanes_[index].ip);
  --in_use_;
  if (index != in_use_) {
    std::swap(lanes_[index], lanes_[in_use_]);
    by_ip_[lanes_[index].ip] = index;
  }
  if (lanes_.size() - in_use_ <= kSpareLanes) return;
  io_.close(lanes_.back().fd.release());
  lanes_.pop_back();
}

void Lanes::look_after() {
  if (in_use_ == 0) return;
  next_looked_after_ = (next_looked_after_ + 1) % in_use_;
  if (is_empty(lanes_[next_looked_after_])) give_back(next_looked_after_);
}

void Lanes::give_back_empty_ones() {
  for (std::size_t i = in_use_; i-- > 0;) {
    if (is_empty(lanes_[i])) give_back(i);
  }
}

bool Lanes::open() {
  if (lanes_.size() == max_lanes_ || !prepare()) return false;
  auto fd = io_.open_sending_socket(family_, port_);
  if (!fd) {
    // It may pass: a moment without descriptors does.
    if (!std::exchange(has_warned_, true)) {
      spdlog::warn("{}: members whose way is blocked can hold up the others", fd.error());
    }
    return false;
  }
  io_.set_buffer_bytes(fd->get(), SO_SNDBUF, buffer_bytes_);
  constexpr std::uint32_t kHeaderBytes6 = 48;
  if (family_ == AF_INET6) {
    io_.set_fragment_bytes(fd->get(), static_cast<std::uint32_t>(max_whole_bytes_) + kHeaderBytes6);
  }
  lanes_.push_back({.fd = std::move(*fd), .ip = {}});
  return true;
}

std::optional<int> Lanes::probing_socket() {
  if (!probing_ && prepare()) {
    auto fd = io_.open_sending_socket(family_, port_);
    if (fd && never_cuts(fd->get())) probing_ = std::move(*fd);
  }
  return probing_ ? std::optional(probing_.get()) : std::nullopt;
}

// IP_PMTUDISC_PROBE (ip(7)) and IPV6_DONTFRAG (ipv6(7)). Where one of them is refused, what arrives
// may have been cut, and proves nothing. What the kernel refuses to send would stand in the error
// queue, which nobody reads here.
bool Lanes::never_cuts(int fd) {
  const auto set = [&](int level, int option, int value) {
    return io_.set_option(fd, level, option, value) == 0;
  };
  const bool is_set =
      set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) &&
      (family_ == AF_INET || (set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
                              set(IPPROTO_IPV6, IPV6_DONTFRAG, 1)));
  return is_set && io_.hear_errors(fd, family_, false);
}

// What lanes have in common, when the first one is needed. False: there can be none.
bool Lanes::prepare() {
  if (has_failed_ || is_prepared_) return !has_failed_;
  is_prepared_ = true;
  SocketAddress bound{};
  const bool is_known = io_.local_address(udp_fd_, bound) == 0;
  const Endpoint own = to_endpoint(bound);
  port_ = own.port;
  buffer_bytes_ = io_.buffer_bytes_of(udp_fd_, SO_SNDBUF);
  if (!own.ip.is_unspecified()) {
    source_ =
        LocalAddress{.ip = own.ip, .interface = family_ == AF_INET6 ? bound.v6.sin6_scope_id : 0};
  }
  has_failed_ = !is_known || !io_.share_port(udp_fd_);
  return !has_failed_;
}

}  // namespace chatd
