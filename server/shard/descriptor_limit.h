// RLIMIT_NOFILE: a connection is a descriptor, and the usual soft limit of 1,024 is soon reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace chatd {

// Raises the limit to what so many connections need, if it is lower, and on to what lanes
// (server/data/lanes.h) may take, as far as it goes. The error says what to do.
tl::expected<void, std::string> ensure_descriptors(std::uint32_t max_connections,
                                                   std::uint32_t shards);

// So many lanes each shard may open: nobody is kept from connecting by them.
std::size_t spare_lanes(std::uint32_t max_connections, std::uint32_t shards);

}  // namespace chatd
