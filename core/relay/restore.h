// Puts a snapshot's rooms and members into an empty roster. A snapshot comes from another program
// (an older or newer chatd), so all of it is checked: one that is not sound, or does not fit these
// limits, is refused with the reason, and corrupts nothing. Thread: one at a time.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "core/base/limits.h"
#include "core/base/shard_map.h"
#include "core/room/roster.h"
#include "core/room/snapshot.h"

namespace chatd {

std::vector<RoomSnapshot> snapshot_of(const Roster& roster);

// `shard` is the one that `roster` belongs to. After an error the roster may hold some of it.
tl::expected<void, std::string> restore_roster(const std::vector<RoomSnapshot>& rooms,
                                               const Limits& limits, std::uint8_t shard,
                                               const ShardMap& shards, Roster& roster);

}  // namespace chatd
