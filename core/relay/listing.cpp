#include "core/relay/listing.h"

#include <algorithm>

#include "core/limits.h"
#include "core/wire/frame.h"
#include "core/wire/json_writer.h"

namespace chatd {
namespace {

// Names of a room with a password are not for strangers.
std::size_t listed_members(const Room& room) {
  return room.password.is_required() ? 0 : std::min(room.members.size(), kMaxListedMembers);
}

// "NAME": {…}, with at most `max_names` of the members' names.
void write_room(JsonWriter& json, const Roster& roster, const Room& room, std::size_t max_names) {
  json.key(room.name);
  json.begin_object();
  json.key("members");
  json.begin_array();
  const std::size_t names = std::min(listed_members(room), max_names);
  for (std::size_t i = 0; i < names; ++i) {
    json.value(std::string_view(roster.members()[room.members[i]].username));
  }
  json.end_array();
  json.member("count", std::uint64_t{room.members.size()});
  json.member("password_required", room.password.is_required());
  json.end_object();
}

std::size_t room_entry_bytes(const Roster& roster, const Room& room, std::size_t max_names) {
  JsonWriter json;
  json.begin_object();
  write_room(json, roster, room, max_names);
  json.end_object();
  return json.size_bytes();  // the braces stand for the comma and a little slack
}

// Writes the listing of those rooms for which `take` gives a number of names, and stops where it
// says so.
template <class Take>
std::string write_listing(const Roster& roster, Take take) {
  JsonWriter json;
  json.begin_object();
  json.key("rooms");
  json.begin_object();
  for (const std::uint32_t slot : roster.room_slots()) {
    if (!take(json, roster.rooms()[slot])) break;
  }
  json.end_object();
  json.member("total", std::uint64_t{roster.rooms().size()});
  json.end_object();
  return json.take();
}

}  // namespace

std::string list_rooms(const Roster& roster) {
  return write_listing(roster, [&roster](JsonWriter& json, const Room& room) {
    write_room(json, roster, room, kMaxListedMembers);
    return true;
  });
}

std::string list_rooms_for_greeting(const Roster& roster) {
  // What follows the last room: }, "total": and twenty digits, }.
  constexpr std::size_t kTailBytes = 32;
  constexpr std::size_t kBudgetBytes = kMaxGreetingBytes - kFrameHeaderBytes - kTailBytes;
  // A room whose entry is too long is passed over, for a while: a greeting must not cost a walk
  // through all rooms.
  int misses_left = 16;
  return write_listing(roster, [&](JsonWriter& json, const Room& room) {
    for (const std::size_t max_names : {kMaxListedMembers, std::size_t{0}}) {
      if (json.size_bytes() + room_entry_bytes(roster, room, max_names) <= kBudgetBytes) {
        write_room(json, roster, room, max_names);
        return true;
      }
    }
    return --misses_left > 0;
  });
}

}  // namespace chatd
