// Events and lists as NDJSON: one object a line, without the line end. The schema is a promise to
// scripts and stands in docs/guide/chat.md. Nothing in it can upset a terminal
// (core/base/hidden.h). Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/lib/event.h"
#include "client/lib/response.h"

namespace chatd::client {

std::string json_ready(std::string_view room, std::string_view username);
std::string json_event(const Event& event);
std::string json_room(const RoomInfo& room);
// `error.kind` is kRefused.
std::string json_refused(const Error& error);

}  // namespace chatd::client
