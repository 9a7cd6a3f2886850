#include "client/chat/output_lines.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "client/terminal/sanitize.h"
#include "core/base/json_writer.h"
#include "core/base/utf8.h"

namespace chatd::client {
namespace {

// Those of the sixteen that can be read on a dark and on a light background.
constexpr std::array<std::string_view, 10> kNameColours{"31", "32", "33", "35", "36",
                                                        "91", "92", "94", "95", "96"};
constexpr std::string_view kQuiet = "2";

// FNV-1a: std::hash may differ from one build to the next, and a name's colour should not.
std::uint32_t stable_hash(std::string_view text) {
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : text) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 16'777'619U;
  }
  return hash;
}

}  // namespace

Style Style::from_environment() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return Style(no_colour == nullptr || *no_colour == '\0');
}

std::string Style::name(std::string_view name, std::string_view shown) const {
  return wrap(kNameColours[stable_hash(name) % kNameColours.size()], shown);
}

std::string Style::quiet(std::string_view shown) const {
  return wrap(kQuiet, shown);
}

std::string Style::wrap(std::string_view codes, std::string_view shown) const {
  std::string out;
  if (!coloured_) return out.append(shown);
  return out.append("\x1b[").append(codes).append("m").append(shown).append("\x1b[0m");
}

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
      return (event.is_sealed == false ? "(not sealed) " : "") +
             message_line(event.name, event.text, style);
    case Event::Kind::kUnreadable:
      return style.quiet("* " + sanitize_name(event.name) +
                         " has said something that you cannot read: " + sanitize(event.text));
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
    case Event::Kind::kLost:
      return style.quiet("* " + counted(event.count, "message") +
                         (event.count == 1 ? " is lost" : " are lost"));
    case Event::Kind::kHeartbeat:  // RoomClient keeps it
    case Event::Kind::kDelivered:
    case Event::Kind::kRefused:
    case Event::Kind::kCaughtUp:
      break;  // nothing to show by itself
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

std::string members_line(const std::optional<RoomInfo>& room, const Style& style) {
  if (!room) return "the server does not list this room";
  if (room->members.empty() && room->password_required) {
    return people(room->count) +
           " here; the server does not name the members of a room with a password";
  }
  return people(room->count) + " here: " + names_and_rest(*room, style);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string error_line(const Error& error) {
  if (error.kind == ErrorKind::kUntrusted) return error.reason;  // these are our own words
  if (error.kind != ErrorKind::kRefused) return sanitize(error.reason);
  return "the server refused (" + std::to_string(error.status) + "): " + sanitize(error.reason);
}

namespace {

template <typename WriteFields>
std::string json_line(std::string_view type, WriteFields write_fields) {
  JsonWriter json;
  json.begin_object();
  json.member("type", type);
  write_fields(json);
  json.end_object();
  return escape_hidden(json.take());
}

std::string json_text(std::string_view type, std::string_view key, std::string_view text) {
  return json_line(type, [&](JsonWriter& json) { json.member(key, text); });
}

}  // namespace

std::string json_ready(std::string_view room, std::string_view username, int protocol) {
  return json_line("ready", [&](JsonWriter& json) {
    json.member("room", room);
    json.member("username", username);
    json.member("protocol", static_cast<std::uint64_t>(protocol));
  });
}

std::string json_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kMessage:
      return json_line("message", [&](JsonWriter& json) {
        json.member("sender", event.name);
        json.member("message", event.text);
        if (event.is_sealed) json.member("sealed", *event.is_sealed);
      });
    case Event::Kind::kUnreadable:
      return json_line("unreadable", [&](JsonWriter& json) {
        json.member("sender", event.name);
        json.member("message", event.text);
      });
    case Event::Kind::kJoined:
      return json_text("joined", "username", event.name);
    case Event::Kind::kLeft:
      return json_text("left", "username", event.name);
    case Event::Kind::kNotice:
      return json_text("notice", "message", event.text);
    case Event::Kind::kMalformed:
      return json_text("malformed", "message", event.text);
    case Event::Kind::kUnanswered:
      return json_text("unanswered", "message", event.text);
    case Event::Kind::kAnswered:
      return json_text("answered", "message", event.text);
    case Event::Kind::kLost:
      return json_line("lost", [&](JsonWriter& json) { json.member("count", event.count); });
    case Event::Kind::kHeartbeat:
    case Event::Kind::kDelivered:
    case Event::Kind::kRefused:
    case Event::Kind::kCaughtUp:
    case Event::Kind::kDisconnected:
    case Event::Kind::kNotAuthenticated:
    case Event::Kind::kServerGone:
      break;
  }
  return json_text("disconnected", "message", event.text);
}

std::string json_room(const RoomInfo& room) {
  return json_line("room", [&](JsonWriter& json) {
    json.member("name", room.name);
    json.key("members");
    json.begin_array();
    for (const std::string& member : room.members) json.value(member);
    json.end_array();
    json.member("count", room.count);
    json.member("password_required", room.password_required);
  });
}

std::string json_refused(const Error& error) {
  return json_line("refused", [&](JsonWriter& json) {
    json.member("status", static_cast<std::uint64_t>(error.status));
    json.member("message", error.reason);
  });
}

}  // namespace chatd::client
