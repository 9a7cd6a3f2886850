#include "server/admin/roster_pages.h"

#include <algorithm>
#include <iterator>

#include "core/base/json_writer.h"
#include "core/base/utf8.h"
#include "server/os/socket_address.h"

namespace chatd {
namespace {

// An address without a port.
std::string ip_text(const IpAddress& ip) {
  std::string text = to_text(Endpoint{.ip = ip, .port = 0});
  text.resize(text.rfind(':'));
  return text;
}

RoomRow row_of(const Roster& roster, const Room& room) {
  return {.name = room.name,
          .host = roster.members()[room.host].username,
          .members = room.size(),
          .v2_members = room.size() - room.first_v2,
          .pending_members = room.pending_members,
          .waiting_messages = room.log.size(),
          .has_password = room.password.is_required()};
}

MemberRow row_of(const Roster& roster, const Room& room, std::uint32_t slot, TimeMs now_ms) {
  const Member& member = roster.members()[slot];
  const Endpoint& endpoint = roster.endpoint_of(member);
  return {.username = member.username,
          .address = endpoint.port == 0 ? std::string() : to_text(endpoint),
          .joined_from = ip_text(member.tcp_peer),
          .silent_ms = now_ms - std::min(now_ms, member.last_heard_ms),
          .is_host = slot == room.host,
          .protocol = room.is_v2(member.position) ? 2u : 1u};
}

}  // namespace

RoomPage read_rooms(const Roster& roster, std::uint32_t first_slot, std::uint32_t limit) {
  const auto& rooms = roster.rooms();
  RoomPage page;
  std::uint32_t slot = first_slot;
  for (std::uint32_t seen = 0;
       slot < rooms.slot_end() && seen < kMaxSlotsPerPage && page.rows.size() < limit;
       ++slot, ++seen) {
    if (rooms.contains(slot)) page.rows.push_back(row_of(roster, rooms[slot]));
  }
  if (slot < rooms.slot_end()) page.next_slot = slot;
  return page;
}

std::optional<MemberPage> read_members(const Roster& roster, TimeMs now_ms, std::string_view name,
                                       std::uint32_t first_slot, std::uint32_t limit) {
  const auto slot = roster.find_room(name);
  if (!slot) return std::nullopt;
  const Room& room = roster.rooms()[*slot];
  MemberPage page;
  page.total = static_cast<std::uint32_t>(room.members.size());
  // The room's own order changes when somebody leaves.
  std::vector<std::uint32_t> slots;
  std::copy_if(room.members.begin(), room.members.end(), std::back_inserter(slots),
               [first_slot](std::uint32_t member) { return member >= first_slot; });
  if (slots.size() > limit) {
    const auto end = slots.begin() + limit;
    std::nth_element(slots.begin(), end, slots.end());
    page.next_slot = *end;
    slots.erase(end, slots.end());
  }
  std::sort(slots.begin(), slots.end());
  for (const std::uint32_t member : slots) {
    page.rows.push_back(row_of(roster, room, member, now_ms));
  }
  return page;
}

std::string rooms_json(const std::vector<RoomRow>& rows, std::string_view next) {
  JsonWriter json;
  json.begin_object();
  json.key("rooms");
  json.begin_array();
  for (const RoomRow& row : rows) {
    json.begin_object();
    json.member("name", std::string_view(row.name));
    json.member("members", std::uint64_t{row.members});
    json.member("v2_members", std::uint64_t{row.v2_members});
    json.member("pending_members", std::uint64_t{row.pending_members});
    json.member("waiting_messages", std::uint64_t{row.waiting_messages});
    json.member("host", std::string_view(row.host));
    json.member("has_password", row.has_password);
    json.end_object();
  }
  json.end_array();
  json.member("next", next);
  json.end_object();
  return escape_hidden(json.take());
}

std::string members_json(std::string_view room, const MemberPage& page) {
  JsonWriter json;
  json.begin_object();
  json.member("room", room);
  json.member("total", std::uint64_t{page.total});
  json.key("members");
  json.begin_array();
  for (const MemberRow& row : page.rows) {
    json.begin_object();
    json.member("username", std::string_view(row.username));
    json.member("address", std::string_view(row.address));
    json.member("joined_from", std::string_view(row.joined_from));
    json.member("pending", row.address.empty());
    json.member("silent_ms", std::uint64_t{row.silent_ms});
    json.member("is_host", row.is_host);
    json.member("protocol", std::uint64_t{row.protocol});
    json.end_object();
  }
  json.end_array();
  const std::string next = page.next_slot ? std::to_string(*page.next_slot) : "";
  json.member("next", std::string_view(next));
  json.end_object();
  return escape_hidden(json.take());
}

}  // namespace chatd
