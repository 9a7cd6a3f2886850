// What one address may ask for: requests per second (a token bucket) and rooms at a time. An
// address that has proven itself by TCP is not spoofed, so a table with an entry for each is safe
// as long as it is bounded; entries that say nothing any more (bucket full, no rooms) are swept out
// when it is full. IPv6 addresses count by /64: a host has that many. Thread: one at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>

#include "core/address/ip_address.h"
#include "core/container/keyed_hash.h"
#include "core/limits.h"
#include "core/timer/timestamp.h"

namespace chatd {

class AddressLimiter {
 public:
  AddressLimiter(const Limits& limits, const KeyedHash::Key& hash_key);

  // Takes one request from the address's bucket; false when there is none left.
  bool allow_request(TimeMs now_ms, const IpAddress& from);

  // Whether one more room may be opened from there. Each opened one is counted, and released when
  // it ends.
  bool may_open_room(const IpAddress& from) const;
  void count_room(TimeMs now_ms, const IpAddress& from);
  void release_room(const IpAddress& from);

 private:
  static constexpr std::size_t kMaxTracked = 65'536;
  static constexpr std::uint32_t kBurstSeconds = 4;
  static constexpr std::uint32_t kCreditPerRequest = 1000;

  struct Use {
    TimeMs refilled_at_ms = 0;
    std::uint32_t rooms = 0;
    std::uint64_t credit = 0;  // thousandths of a request: a rate per second, earned by the ms
  };
  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const IpAddress& ip) const;
  };

  bool is_exempt(const IpAddress& from) const;
  Use* use_of(TimeMs now_ms, const IpAddress& from);
  void refill(Use& use, TimeMs now_ms) const;
  void sweep(TimeMs now_ms);
  std::uint64_t full_credit() const {
    return std::uint64_t{limits_.max_address_requests_per_s} * kBurstSeconds * kCreditPerRequest;
  }

  const Limits& limits_;
  absl::flat_hash_map<IpAddress, Use, Hash> uses_;
};

}  // namespace chatd
