// A server's state as bytes and back (handover.proto). What is read may come from an older or newer
// chatd, so that its form is checked here, and its meaning by who takes it
// (core/relay/restore.h). Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/handover/server_state.h"

namespace chatd {

std::string encode_state(const ServerState& state);
// The error is a sentence.
tl::expected<ServerState, std::string> decode_state(std::string_view bytes);

}  // namespace chatd
