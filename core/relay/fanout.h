// The destinations of a fan-out: everyone in a room but one.
#pragma once

#include <cstdint>

#include "core/relay/outbox.h"
#include "core/relay/room.h"

namespace chatd {

// Adds the endpoints of all bound members but the one at `position` to the fan-out that `out` has
// open. Returns how many were passed over because their address is not known yet.
std::uint32_t add_others(const Room& room, std::uint32_t position, Outbox& out);

}  // namespace chatd
