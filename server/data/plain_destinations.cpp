#include "server/data/plain_destinations.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <string_view>

#include "server/net/socket_address.h"

namespace chatd {

std::size_t PlainDestinations::Hash::operator()(const Endpoint& endpoint) const {
  const auto& bytes = endpoint.ip.bytes();
  const std::string_view ip(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return absl::HashOf(ip, endpoint.port);
}

void PlainDestinations::add(const Endpoint& destination, int error) {
  if (destinations_.size() == kMaxDestinations) destinations_.clear();
  destinations_.insert(destination);
  if (has_said_so_) return;
  has_said_so_ = true;
  spdlog::warn(
      "the path to {} takes no trains (UDP_SEGMENT: {}): messages to it go one by one, which costs "
      "more. If its MTU is smaller than --mtu says, a smaller --mtu mends that. Other such "
      "destinations are not logged, but counted as train_fallbacks",
      to_text(destination), std::strerror(error));
}

}  // namespace chatd
