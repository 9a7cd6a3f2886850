// SIGINT and SIGTERM as a readable descriptor (signalfd(2)), so that stopping is one more event of
// the loop.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "server/net/unique_fd.h"

namespace chatd {

// Blocks both signals for this thread and those it will start. Call before any other thread exists.
tl::expected<UniqueFd, std::string> open_stop_signal();

}  // namespace chatd
