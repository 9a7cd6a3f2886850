// What one address may ask for: requests and new connections per second, connections and rooms at a
// time. An address that has proven itself by TCP is not spoofed, so a table with an entry for each
// is safe as long as it is bounded; entries that say nothing any more (nothing open, buckets full)
// are swept out when it is full. What is open is counted whether it is limited or not, for limits
// may change while it is (Relay::set_limits). IPv6 addresses count by /64: a host has that many.
// Thread: one at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/ratelimit/token_bucket.h"

namespace chatd {

// What an address has open.
struct AddressSnapshot {
  IpAddress ip;  // as it counts
  std::uint32_t rooms = 0;
  std::uint32_t connections = 0;
};

class AddressLimiter {
 public:
  // Of at most `max_tracked` addresses. If that is more than there can be rooms and connections,
  // nobody who holds some can keep others out.
  AddressLimiter(const AbuseLimits& limits, std::size_t max_tracked,
                 const KeyedHash::Key& hash_key);

  // Takes one request from the address's bucket; false when there is none left.
  bool allow_request(TimeMs now_ms, const IpAddress& from);

  // The same for a room list of this size, from a bucket of its own: what a list costs keeps nobody
  // from creating and joining rooms.
  bool allow_list(TimeMs now_ms, const IpAddress& from, std::size_t size_bytes);

  // Whether one more connection may come from there; if so, it is counted until it is released.
  bool open_connection(TimeMs now_ms, const IpAddress& from);
  void release_connection(const IpAddress& from);

  // Whether one more room may be opened from there; if so, it is counted until it is released.
  bool open_room(TimeMs now_ms, const IpAddress& from);
  void release_room(const IpAddress& from);

  // What addresses have open, of those that have something; and the same in an empty limiter.
  std::vector<AddressSnapshot> snapshot() const;
  void restore(const std::vector<AddressSnapshot>& addresses);

  // Everybody starts with full buckets again. What is open stays counted.
  void forgive_all();

  // Whether the limits per address do not hold for this one.
  bool is_exempt(const IpAddress& from) const {
    return from.is_loopback() && !limits_.limit_loopback;
  }

 private:
  static constexpr std::uint32_t kBurstMs = 4000;
  static constexpr std::size_t kListBytesPerRequest = 16'384;
  // A sweep takes a millisecond or so: a full table must not make each request cost one.
  static constexpr TimeMs kSweepIntervalMs = 100;

  struct Use {
    std::uint32_t rooms = 0;
    std::uint32_t connections = 0;
    TokenBucket requests;
    TokenBucket lists;     // so many bytes of them for each request that it may make
    TokenBucket arrivals;  // connections, as they come
  };
  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const IpAddress& ip) const;
  };

  TokenRate request_rate() const {
    return {.units = limits_.max_address_requests_per_s, .burst_ms = kBurstMs};
  }
  Use* find(const IpAddress& from);
  Use* find_or_add(TimeMs now_ms, const IpAddress& from);
  void sweep(TimeMs now_ms);

  const AbuseLimits& limits_;
  std::size_t max_tracked_;
  absl::flat_hash_map<IpAddress, Use, Hash> uses_;
  TimeMs next_sweep_ms_ = 0;
};

}  // namespace chatd
