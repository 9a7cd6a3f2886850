// Socket activation (systemd.socket(5), sd_listen_fds(3)): the service manager has opened chatd's
// sockets before it started chatd, and passes them on. They stay open while chatd is away, so that
// who calls meanwhile waits instead of being refused, and they may have ports that chatd itself has
// no right to. Thread: the main one, before there are others (the environment is changed).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "server/listen/server_sockets.h"

namespace chatd {

// The sockets that were passed, fit to serve so many shards, with the options that chatd's own
// would have; nothing where none were passed. What was passed and does not fit is an error: a
// sentence that says what to change in the .socket unit. Afterwards the environment does not speak
// of them any more, so that no child takes them for its own.
tl::expected<std::optional<ServerSockets>, std::string> take_passed_sockets(std::uint32_t shards);

}  // namespace chatd
