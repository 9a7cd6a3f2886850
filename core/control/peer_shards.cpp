#include "core/control/peer_shards.h"

#include <utility>

namespace chatd {

void PeerShards::post(std::uint8_t to, ShardMessage message) {
  messages.push_back({.to = to, .message = std::move(message)});
}

}  // namespace chatd
