#include "core/relay/address_limiter.h"

#include <algorithm>
#include <string_view>

namespace chatd {

std::size_t AddressLimiter::Hash::operator()(const IpAddress& ip) const {
  return hash({reinterpret_cast<const char*>(ip.bytes().data()), ip.bytes().size()});
}

AddressLimiter::AddressLimiter(const Limits& limits, const KeyedHash::Key& hash_key)
    : limits_(limits), uses_(0, Hash{KeyedHash(hash_key)}) {}

bool AddressLimiter::allow_request(TimeMs now_ms, const IpAddress& from) {
  if (limits_.max_address_requests_per_s == 0 || is_exempt(from)) return true;
  Use* const use = use_of(now_ms, from);
  if (use == nullptr || use->credit < kCreditPerRequest) return false;
  use->credit -= kCreditPerRequest;
  return true;
}

bool AddressLimiter::may_open_room(const IpAddress& from) const {
  if (limits_.max_address_rooms == 0 || is_exempt(from)) return true;
  const auto found = uses_.find(from.counted());
  return found == uses_.end() || found->second.rooms < limits_.max_address_rooms;
}

void AddressLimiter::count_room(TimeMs now_ms, const IpAddress& from) {
  if (is_exempt(from)) return;
  if (Use* const use = use_of(now_ms, from)) ++use->rooms;
}

void AddressLimiter::release_room(const IpAddress& from) {
  const auto found = uses_.find(from.counted());
  if (found != uses_.end() && found->second.rooms > 0) --found->second.rooms;
}

bool AddressLimiter::is_exempt(const IpAddress& from) const {
  return from.is_loopback() && !limits_.limit_loopback;
}

// Nothing when the table is full of addresses that are all in use.
AddressLimiter::Use* AddressLimiter::use_of(TimeMs now_ms, const IpAddress& from) {
  const IpAddress key = from.counted();
  const auto found = uses_.find(key);
  if (found != uses_.end()) {
    refill(found->second, now_ms);
    return &found->second;
  }
  if (uses_.size() >= kMaxTracked) sweep(now_ms);
  if (uses_.size() >= kMaxTracked) return nullptr;
  Use& use = uses_[key];
  use = {.refilled_at_ms = now_ms, .rooms = 0, .credit = full_credit()};
  return &use;
}

// Nothing is rounded: a millisecond earns as many thousandths as the rate is per second.
void AddressLimiter::refill(Use& use, TimeMs now_ms) const {
  constexpr TimeMs kFullAfterMs = TimeMs{kBurstSeconds} * 1000;
  const TimeMs elapsed_ms = std::min(now_ms - use.refilled_at_ms, kFullAfterMs);
  use.refilled_at_ms = now_ms;
  use.credit =
      std::min(full_credit(), use.credit + elapsed_ms * limits_.max_address_requests_per_s);
}

void AddressLimiter::sweep(TimeMs now_ms) {
  absl::erase_if(uses_, [this, now_ms](auto& entry) {
    refill(entry.second, now_ms);
    return entry.second.rooms == 0 && entry.second.credit >= full_credit();
  });
}

}  // namespace chatd
