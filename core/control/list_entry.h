// What a list and a greeting say about one room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/json_writer.h"
#include "core/base/limits.h"
#include "core/room/roster.h"

namespace chatd {

// Names of a room with a password are not for strangers.
inline std::size_t listed_members(const Room& room) {
  return room.password.is_required() ? 0 : std::min(room.members.size(), kMaxListedMembers);
}

// "NAME":{…} with so many of the members' names, inside an object that is open.
inline void write_room(JsonWriter& json, const Roster& roster, const Room& room,
                       std::size_t names) {
  json.key(room.name);
  json.begin_object();
  json.key("members");
  json.begin_array();
  for (std::size_t i = 0; i < names; ++i) {
    json.value(std::string_view(roster.members()[room.members[i]].username));
  }
  json.end_array();
  json.member("count", std::uint64_t{room.members.size()});
  json.member("password_required", room.password.is_required());
  json.end_object();
}

}  // namespace chatd
