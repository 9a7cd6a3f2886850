#include "core/control/peer_shards.h"

#include <utility>

namespace chatd {

// Not in the header: inlined, GCC 12 takes the other alternatives of the variant that is moved for
// uninitialized ones that are read.
void PeerShards::post(std::uint8_t to, ShardMessage message) {
  messages.push_back({.to = to, .message = std::move(message)});
}

}  // namespace chatd
