// Which shard owns a room, and which one counts what an address does. Every shard must come to the
// same answer without asking, so it is a hash; and nobody outside may choose a shard, so it is a
// keyed one. Shards of one process share the key; it is nobody else's.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/ip_address.h"
#include "core/base/keyed_hash.h"
#include "core/base/names.h"

namespace chatd {

inline constexpr std::uint32_t kMaxShards = 256;  // a token has one byte for the shard

class ShardMap {
 public:
  ShardMap() = default;  // one shard, which owns everything
  // `count` is 1..kMaxShards.
  ShardMap(std::uint32_t count, const KeyedHash::Key& key) : count_(count), hash_(key) {}

  std::uint32_t count() const { return count_; }
  // Rooms whose names look alike are on one shard.
  std::uint8_t of_room(std::string_view name) const {
    return static_cast<std::uint8_t>(hash_(folded_name(name)) % count_);
  }
  // All addresses that are counted as one (an IPv6 /64) are on one shard.
  std::uint8_t of_address(const IpAddress& ip) const {
    const IpAddress key = ip.rate_limit_key();
    return static_cast<std::uint8_t>(hash_(key.key()) % count_);
  }

 private:
  std::uint32_t count_ = 1;
  KeyedHash hash_{{}};
};

}  // namespace chatd
