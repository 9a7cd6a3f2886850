#include "server/data/no_gso_peers.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/os/socket_address.h"

namespace chatd {

std::size_t EndpointHash::operator()(const Endpoint& endpoint) const {
  return absl::HashOf(endpoint.ip.key(), endpoint.port);
}

bool NoGsoPeers::is_paused(const Endpoint& destination, TimeMs now_ms) const {
  const auto found = destinations_.find(destination);
  return found != destinations_.end() && now_ms < found->second.until_ms;
}

void NoGsoPeers::add(const Endpoint& destination, int error, TimeMs now_ms) {
  if (destinations_.size() == kMaxDestinations) destinations_.clear();
  Pause& pause = destinations_[destination];
  // Who has taken trains since, for as long as the last pause was, begins anew.
  const bool is_again = pause.length_ms != 0 && now_ms < pause.until_ms + pause.length_ms;
  pause.length_ms = is_again ? std::min(2 * pause.length_ms, kLongestPauseMs) : kFirstPauseMs;
  pause.until_ms = now_ms + pause.length_ms;
  pause.error = error;
  if (!is_again || std::exchange(has_said_so_, true)) return;
  spdlog::warn(
      "the path to {} takes no trains (UDP_SEGMENT: {}): messages to it go one by one, which costs "
      "more. If its MTU is smaller than --mtu says, a smaller --mtu mends that. Other such "
      "destinations are not logged, but counted as train_fallbacks",
      to_text(destination), std::strerror(error));
}

void NoGsoPeers::on_single_refused(const Endpoint& destination, int error) {
  const auto found = destinations_.find(destination);
  if (found != destinations_.end() && found->second.error == error) destinations_.erase(found);
}

}  // namespace chatd
