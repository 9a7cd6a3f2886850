// Who may not be on this server: addresses and names, with the operator's reason. A value that does
// not change; who bans somebody makes another list. It is asked for requests, never for datagrams,
// and what that costs does not depend on how many bans there are.
// Thread: any number of them may read it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/address_range.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"

namespace chatd {

// That an operator may add.
inline constexpr std::size_t kMaxBans = 10'000;
inline constexpr std::size_t kMaxBanReasonBytes = 200;

// Addresses, or a name as people see it (core/base/names.h).
using BanTarget = std::variant<AddressRange, std::string>;

struct Ban {
  BanTarget target;
  std::string reason = {};  // told to whom it hits; may be empty
  std::optional<TimeMs> ends_at_ms = {};

  bool is_over(TimeMs now_ms) const { return ends_at_ms && *ends_at_ms <= now_ms; }
};

// Whether a reason may be told to people: UTF-8 that is short and controls no terminal.
bool is_valid_ban_reason(std::string_view reason);

// «you are banned from this server», and the reason if there is one.
inline constexpr std::string_view kBannedText = "you are banned from this server";
std::string ban_text(const Ban& ban);

class BanList {
 public:
  BanList() = default;
  // Of several bans of one target the last one counts.
  explicit BanList(std::vector<Ban> bans);
  BanList(const BanList&) = delete;  // the indexes point at the bans
  BanList& operator=(const BanList&) = delete;

  bool is_empty() const { return bans_.empty(); }
  // The ban that hits somebody of this name at this address, or null. Of addresses the narrowest
  // range comes first.
  const Ban* find(TimeMs now_ms, const IpAddress& address, std::string_view name) const;

 private:
  struct HashOfAddress {
    std::size_t operator()(const IpAddress& address) const;
  };
  // Ranges with the same prefix, by network.
  struct Prefix {
    unsigned bits;
    absl::flat_hash_map<IpAddress, std::size_t, HashOfAddress> bans;
  };

  const Ban* find_address(TimeMs now_ms, const IpAddress& address) const;
  const Ban* find_name(TimeMs now_ms, std::string_view name) const;
  Prefix& prefix_of(unsigned bits);

  std::vector<Ban> bans_;
  std::vector<Prefix> prefixes_;                         // the longest first
  absl::flat_hash_map<std::string, std::size_t> names_;  // by their folded form
};

// All shards share one.
using BanListPointer = std::shared_ptr<const BanList>;

}  // namespace chatd
