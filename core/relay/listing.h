// The room list: {"rooms": {NAME: {"members": […], "count": N, "password_required": bool}, …},
// "total": N}.
#pragma once

#include <cstddef>
#include <string>

#include "core/relay/roster.h"

namespace chatd {

// All rooms, for an answer to a list request.
std::string list_rooms(const Roster& roster);

// As many rooms as fit into a greeting frame of kMaxGreetingBytes; "total" tells the rest.
std::string list_rooms_for_greeting(const Roster& roster);

}  // namespace chatd
