// Events and lists as lines for a person, sanitized; without a line end.
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "client/chat/style.h"
#include "client/lib/event.h"
#include "client/lib/response.h"

namespace chatd::client {

// "alice: hello"
std::string message_line(std::string_view sender, std::string_view text, const Style& style);

// "alice: hello", "* bob joined". For the end of a session it says why it is over.
std::string event_line(const Event& event, const Style& style);

// A table of all rooms; several lines.
std::string rooms_table(const RoomList& list);

// Who is in `room`, and what the server does not tell.
std::string members_line(const RoomList& list, std::string_view room, const Style& style);

// "the server refused (409): the room exists", or the reason alone for all other errors.
std::string error_line(const Error& error);

}  // namespace chatd::client
