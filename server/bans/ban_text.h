// Bans as people write and read them. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/address_range.h"
#include "core/control/ban_list.h"

namespace chatd {

// Of a list in the configuration that is empty.
inline constexpr char kNoBans[] = "none";

// Lists with commas, or kNoBans. An error quotes what is wrong and says what would be right.
tl::expected<std::vector<AddressRange>, std::string> parse_address_ranges(std::string_view list);
tl::expected<std::vector<std::string>, std::string> parse_banned_names(std::string_view list);

// "203.0.113.7", "203.0.113.0/24".
std::string to_text(const AddressRange& range);
std::string to_text(const BanTarget& target);

}  // namespace chatd
