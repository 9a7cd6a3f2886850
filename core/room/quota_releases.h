// A room that ends is given back to the address that opened it. What addresses have open is counted
// on the shard of the address, which need not be the room's: then that one has to be told.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/shard_map.h"
#include "core/ratelimit/address_limiter.h"

namespace chatd {

class QuotaReleases {
 public:
  QuotaReleases(std::uint8_t shard, const ShardMap& shards, AddressLimiter& addresses)
      : shard_(shard), shards_(shards), addresses_(addresses) {}

  void give_back(const IpAddress& creator) {
    const std::uint8_t counting = shards_.of_address(creator);
    if (shards_.count() == 1 || counting == shard_) return addresses_.release_room(creator);
    elsewhere_.push_back({.counting_shard = counting, .creator = creator});
  }

  struct Ended {
    std::uint8_t counting_shard;
    IpAddress creator;
  };
  // Rooms of addresses that other shards count, since this was cleared.
  std::vector<Ended>& elsewhere() { return elsewhere_; }

 private:
  std::uint8_t shard_;
  const ShardMap& shards_;
  AddressLimiter& addresses_;
  std::vector<Ended> elsewhere_;
};

}  // namespace chatd
