// Rooms and members for an operator, a page at a time: what is copied on a shard's thread is
// bounded, however many there are. Never a password, a hash of one, or a token.
//
// Where a page ends is a slot, and rooms and members keep theirs: so whoever is there from the
// first page to the last is shown once, however many come and go meanwhile. Thread: the functions
// with a roster on the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/room/roster.h"

namespace chatd {

struct RoomRow {
  std::string name;
  std::string host;
  std::uint32_t members = 0;
  std::uint32_t v2_members = 0;  // among them: with protocol v2
  std::uint32_t pending_members = 0;
  std::uint32_t waiting_messages = 0;
  bool has_password = false;
};

struct RoomPage {
  std::vector<RoomRow> rows;
  std::optional<std::uint32_t> next_slot;  // nothing: there are no more
};

// From this slot on. Slots that are not in use are passed over, but not more than so many at a
// time, so a page may have fewer rows than `limit` and yet not be the last one.
inline constexpr std::uint32_t kMaxSlotsPerPage = 20'000;
RoomPage read_rooms(const Roster& roster, std::uint32_t first_slot, std::uint32_t limit);

struct MemberRow {
  std::string username;
  std::string address;  // empty: not known yet
  std::string joined_from;
  TimeMs silent_ms = 0;  // since it was heard
  bool is_host = false;
  std::uint32_t protocol = 1;
};

struct MemberPage {
  std::vector<MemberRow> rows;
  std::uint32_t total = 0;
  std::optional<std::uint32_t> next_slot;
};

// From this slot on, by slot. Nothing when there is no such room.
std::optional<MemberPage> read_members(const Roster& roster, TimeMs now_ms, std::string_view room,
                                       std::uint32_t first_slot, std::uint32_t limit);

// As JSON; `next` is what to ask for as `after`, empty on the last page.
std::string rooms_json(const std::vector<RoomRow>& rows, std::string_view next);
std::string members_json(std::string_view room, const MemberPage& page);

}  // namespace chatd
