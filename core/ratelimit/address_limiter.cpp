#include "core/ratelimit/address_limiter.h"

#include <string_view>

namespace chatd {

std::size_t AddressLimiter::Hash::operator()(const IpAddress& ip) const {
  return hash(ip.key());
}

AddressLimiter::AddressLimiter(const AbuseLimits& limits, std::size_t max_tracked,
                               const KeyedHash::Key& hash_key)
    : limits_(limits), max_tracked_(max_tracked), uses_(0, Hash{KeyedHash(hash_key)}) {}

bool AddressLimiter::allow_request(TimeMs now_ms, const IpAddress& from) {
  if (limits_.max_address_requests_per_s == 0 || is_exempt(from)) return true;
  Use* const use = find_or_add(now_ms, from);
  return use != nullptr && use->requests.take(now_ms, request_rate());
}

bool AddressLimiter::allow_list(TimeMs now_ms, const IpAddress& from, std::size_t size_bytes) {
  const std::uint64_t cost = size_bytes / kListBytesPerRequest;
  if (cost == 0 || limits_.max_address_requests_per_s == 0 || is_exempt(from)) return true;
  Use* const use = find_or_add(now_ms, from);
  return use != nullptr && use->lists.take(now_ms, request_rate(), cost);
}

bool AddressLimiter::open_connection(TimeMs now_ms, const IpAddress& from) {
  const bool is_free = is_exempt(from);
  const std::uint32_t most = is_free ? 0 : limits_.max_address_connections;
  const TokenRate rate = is_free ? TokenRate{} : request_rate();
  Use* const use = find_or_add(now_ms, from);
  if (use == nullptr) return most == 0 && rate.is_unlimited();
  if (most != 0 && use->connections >= most) return false;
  if (!use->arrivals.take(now_ms, rate)) return false;
  ++use->connections;
  return true;
}

void AddressLimiter::release_connection(const IpAddress& from) {
  Use* const use = find(from);
  if (use != nullptr && use->connections > 0) --use->connections;
}

bool AddressLimiter::open_room(TimeMs now_ms, const IpAddress& from) {
  const std::uint32_t most = is_exempt(from) ? 0 : limits_.max_address_rooms;
  Use* const use = find_or_add(now_ms, from);
  if (use == nullptr) return most == 0;
  if (most != 0 && use->rooms >= most) return false;
  ++use->rooms;
  return true;
}

void AddressLimiter::release_room(const IpAddress& from) {
  Use* const use = find(from);
  if (use != nullptr && use->rooms > 0) --use->rooms;
}

std::vector<AddressSnapshot> AddressLimiter::snapshot() const {
  std::vector<AddressSnapshot> addresses;
  for (const auto& [address, use] : uses_) {
    if (use.rooms == 0 && use.connections == 0) continue;
    addresses.push_back({.ip = address, .rooms = use.rooms, .connections = use.connections});
  }
  return addresses;
}

void AddressLimiter::restore(const std::vector<AddressSnapshot>& addresses) {
  for (const AddressSnapshot& address : addresses) {
    Use& use = uses_[address.ip.rate_limit_key()];
    use.rooms = address.rooms;
    use.connections = address.connections;
  }
}

void AddressLimiter::forgive_all() {
  for (auto& [address, use] : uses_) use.requests = use.lists = use.arrivals = {};
}

AddressLimiter::Use* AddressLimiter::find(const IpAddress& from) {
  const auto found = uses_.find(from.rate_limit_key());
  return found == uses_.end() ? nullptr : &found->second;
}

// Nothing when the table is full of addresses that are all in use.
AddressLimiter::Use* AddressLimiter::find_or_add(TimeMs now_ms, const IpAddress& from) {
  if (Use* const known = find(from)) return known;
  if (uses_.size() >= max_tracked_ && now_ms >= next_sweep_ms_) sweep(now_ms);
  if (uses_.size() >= max_tracked_) return nullptr;
  return &uses_[from.rate_limit_key()];
}

void AddressLimiter::sweep(TimeMs now_ms) {
  next_sweep_ms_ = now_ms + kSweepIntervalMs;
  absl::erase_if(uses_, [now_ms](const auto& entry) {
    const Use& use = entry.second;
    return use.rooms == 0 && use.connections == 0 && use.requests.is_full(now_ms) &&
           use.lists.is_full(now_ms) && use.arrivals.is_full(now_ms);
  });
}

}  // namespace chatd
