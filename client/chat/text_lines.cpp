#include "client/chat/text_lines.h"

#include <algorithm>

#include "client/chat/sanitize.h"

namespace chatd::client {
namespace {

std::string join_names(const RoomInfo& room, const Style& style) {
  std::string names;
  for (const std::string& member : room.members) {
    if (!names.empty()) names += ", ";
    names += style.name(member, sanitize_name(member));
  }
  return names;
}

std::string people(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " person" : " people");
}

// What follows a list of names that is not all.
std::string unnamed(const RoomInfo& room) {
  if (room.members.empty() && room.password_required) return "(names hidden: password)";
  if (room.count <= room.members.size()) return "";
  return "and " + std::to_string(room.count - room.members.size()) + " more";
}

std::string names_and_rest(const RoomInfo& room, const Style& style) {
  const std::string names = join_names(room, style);
  const std::string rest = unnamed(room);
  return names + (names.empty() || rest.empty() ? "" : " ") + rest;
}

}  // namespace

std::string message_line(std::string_view sender, std::string_view text, const Style& style) {
  return style.name(sender, sanitize_name(sender)) + ": " + sanitize(text);
}

std::string event_line(const Event& event, const Style& style) {
  switch (event.kind) {
    case Event::Kind::kMessage:
      return message_line(event.name, event.text, style);
    case Event::Kind::kJoined:
      return style.quiet("* " + sanitize_name(event.name) + " joined");
    case Event::Kind::kLeft:
      return style.quiet("* " + sanitize_name(event.name) + " left");
    case Event::Kind::kNotice:
      return style.quiet("* " + sanitize(event.text));
    case Event::Kind::kMalformed:
      return style.quiet("* something unreadable arrived: " + sanitize(event.text));
    case Event::Kind::kDisconnected:
      return "you are no longer in the room: the server says \"" +
             (event.text.empty() ? "removed" : sanitize(event.text)) + "\"";
    case Event::Kind::kNotAuthenticated:
      return "you are no longer in the room: the server does not know you (it says \"" +
             sanitize(event.text) +
             "\"): you were removed, the room has ended, or the server was restarted. "
             "Join again, or create the room anew";
    case Event::Kind::kServerGone:
      return "the server is gone: " + sanitize(event.text);
    case Event::Kind::kUnanswered:
    case Event::Kind::kAnswered:
      return style.quiet("* " + sanitize(event.text));
    case Event::Kind::kHeartbeat:
      break;  // RoomClient keeps it
  }
  return "";
}

std::string rooms_table(const RoomList& list) {
  if (list.rooms.empty()) return "There are no rooms. Create one: chat create ROOM --name NAME";
  const Style plain(false);
  std::string out;
  for (const RoomInfo& room : list.rooms) {
    if (!out.empty()) out += '\n';
    out += sanitize_name(room.name) + "  " + people(room.count) +
           (room.password_required ? ", password" : "");
    const std::string names = names_and_rest(room, plain);
    if (!names.empty()) out += ": " + names;
  }
  if (list.total > list.rooms.size()) {
    out += "\n... and " + std::to_string(list.total - list.rooms.size()) + " more rooms";
  }
  return out;
}

std::string members_line(const RoomList& list, std::string_view room, const Style& style) {
  const auto found = std::find_if(list.rooms.begin(), list.rooms.end(),
                                  [room](const RoomInfo& info) { return info.name == room; });
  if (found == list.rooms.end()) return "the server does not list this room";
  if (found->members.empty() && found->password_required) {
    return people(found->count) +
           " here; the server does not name the members of a room with a password";
  }
  return people(found->count) + " here: " + names_and_rest(*found, style);
}

std::string error_line(const Error& error) {
  if (error.kind != ErrorKind::kRefused) return sanitize(error.reason);
  return "the server refused (" + std::to_string(error.status) + "): " + sanitize(error.reason);
}

}  // namespace chatd::client
