// What an operator has banned, as a file of the state directory and as one chatd passes it to the
// next: JSON. Ends are written as times since 1970, because the clock that chatd runs by begins
// anew with the machine. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/json_writer.h"
#include "core/base/time.h"
#include "core/control/ban_list.h"

namespace chatd {

inline constexpr char kBansFile[] = "bans.json";

// One moment on both clocks.
struct BanClock {
  TimeMs now_ms;
  std::uint64_t unix_ms;  // since 1970

  static BanClock now();
};

// The members "address" or "name", and "reason" of an object that has begun.
void write_ban(JsonWriter& json, const Ban& ban);

std::string bans_to_json(const std::vector<Ban>& bans, const BanClock& clock);
// Bans that are over are left out. An error says what is wrong with it.
tl::expected<std::vector<Ban>, std::string> bans_from_json(std::string_view text,
                                                           const BanClock& clock);

}  // namespace chatd
