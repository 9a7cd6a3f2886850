#include "core/control/ban_list.h"

#include <absl/hash/hash.h>

#include <algorithm>

#include "core/base/names.h"
#include "core/wire/v2/frames.h"

namespace chatd {

bool is_valid_ban_reason(std::string_view reason) {
  return reason.empty() || (reason.size() <= kMaxBanReasonBytes && is_valid_name(reason));
}

// It is told in a CLOSED as well.
static_assert(kBannedText.size() + 2 + kMaxBanReasonBytes <= v2::kMaxClosedTextBytes);

std::string ban_text(const Ban& ban) {
  std::string text(kBannedText);
  if (!ban.reason.empty()) text.append(": ").append(ban.reason);
  return text;
}

std::size_t BanList::HashOfAddress::operator()(const IpAddress& address) const {
  return absl::Hash<std::string_view>()(address.key());
}

BanList::BanList(std::vector<Ban> bans) : bans_(std::move(bans)) {
  for (std::size_t i = 0; i < bans_.size(); ++i) {
    if (const auto* const range = std::get_if<AddressRange>(&bans_[i].target)) {
      prefix_of(range->prefix_bits()).bans[range->network()] = i;
    } else {
      names_[folded_name(std::get<std::string>(bans_[i].target))] = i;
    }
  }
}

BanList::Prefix& BanList::prefix_of(unsigned bits) {
  const auto place =
      std::ranges::find_if(prefixes_, [bits](const Prefix& prefix) { return prefix.bits <= bits; });
  if (place != prefixes_.end() && place->bits == bits) return *place;
  return *prefixes_.insert(place, Prefix{.bits = bits, .bans = {}});
}

const Ban* BanList::find(TimeMs now_ms, const IpAddress& address, std::string_view name) const {
  const Ban* const ban = find_address(now_ms, address);
  return ban != nullptr ? ban : find_name(now_ms, name);
}

const Ban* BanList::find_address(TimeMs now_ms, const IpAddress& address) const {
  for (const Prefix& prefix : prefixes_) {
    const auto found = prefix.bans.find(masked(address, prefix.bits));
    if (found == prefix.bans.end()) continue;
    const Ban& ban = bans_[found->second];
    if (!ban.is_over(now_ms) && std::get<AddressRange>(ban.target).contains(address)) return &ban;
  }
  return nullptr;
}

// Folding costs something.
const Ban* BanList::find_name(TimeMs now_ms, std::string_view name) const {
  if (names_.empty()) return nullptr;
  const auto found = names_.find(folded_name(name));
  if (found == names_.end() || bans_[found->second].is_over(now_ms)) return nullptr;
  return &bans_[found->second];
}

}  // namespace chatd
