// A room that has ended, while there is something to send to those who were in it: what had been
// said, and to each a farewell. Its members are gone from the roster, its arrays are still whole.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/room/roster.h"

namespace chatd {

// Slots that were the members', and where in the room's arrays they are.
using Positions = absl::flat_hash_map<std::uint32_t, std::uint32_t>;

struct ClosedRoom {
  explicit ClosedRoom(Roster::TakenRoom&& taken)
      : room(std::move(taken.room)),
        usernames(std::move(taken.usernames)),
        ids(std::move(taken.ids)) {
    positions.reserve(room.members.size());
    for (std::uint32_t i = 0; i < room.members.size(); ++i) positions.emplace(room.members[i], i);
  }

  Room room;
  std::vector<std::string> usernames;  // in step with the room's arrays
  std::vector<v2::MemberId> ids;       // the same
  Positions positions;
  std::uint32_t told = 0;  // members that have got their farewell
};

}  // namespace chatd
