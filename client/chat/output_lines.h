// What `chat` prints, as lines without their ends: for a person, in colours and sanitized, or for a
// program, as NDJSON.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/lib/event.h"
#include "client/lib/response.h"

namespace chatd::client {

// Colours for names and a quieter shade for what is not said by anybody.
class Style {
 public:
  explicit Style(bool coloured) : coloured_(coloured) {}

  // No colour when NO_COLOR is set and not empty (no-color.org).
  static Style from_environment();

  // `shown` in the colour that belongs to `name`: the same in every program and on every day.
  std::string name(std::string_view name, std::string_view shown) const;
  std::string quiet(std::string_view shown) const;

 private:
  std::string wrap(std::string_view codes, std::string_view shown) const;

  bool coloured_;
};

// Events and lists as lines for a person, sanitized; without a line end.

// "alice: hello"
std::string message_line(std::string_view sender, std::string_view text, const Style& style);

// "alice: hello", "* bob joined". For the end of a session it says why it is over.
std::string event_line(const Event& event, const Style& style);

// A table of all rooms; several lines.
std::string rooms_table(const RoomList& list);

// Who is in a room, and what the server does not tell. Nothing: it does not list the room.
std::string members_line(const std::optional<RoomInfo>& room, const Style& style);

// "3 messages": how many, and of what.
std::string counted(std::uint64_t count, std::string_view what);

// "the server refused (409): the room exists", or the reason alone for all other errors. One line,
// but for a certificate that is not trusted.
std::string error_line(const Error& error);

// Events and lists as NDJSON: one object a line, without the line end. The schema is a promise to
// scripts and stands in docs/guide/chat.md. Nothing in it can upset a terminal
// (core/base/utf8.h).

std::string json_ready(std::string_view room, std::string_view username, int protocol);
std::string json_event(const Event& event);
std::string json_room(const RoomInfo& room);
// `error.kind` is kRefused.
std::string json_refused(const Error& error);

}  // namespace chatd::client
