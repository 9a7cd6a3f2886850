// Descriptors 0, 1 and 2 belong to the standard streams, whoever started chatd and however. If one
// of them is closed (`chatd >&-`, some supervisors), the next socket to be opened gets its number,
// and the ready line or the log is written into it: into an eventfd, for instance, which then tells
// a shard to stop.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace chatd {

// Opens /dev/null in the place of those that are missing. Call before anything else is opened.
tl::expected<void, std::string> open_missing_streams();

}  // namespace chatd
