// RLIMIT_NOFILE: a socket is a descriptor, and the usual soft limit of 1,024 is soon reached.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace chatd::bench {

// Raises the limit to what so many sockets need, if it is lower. The error says what to do: raise
// the hard limit, or else `instead` ("fewer members").
tl::expected<void, std::string> ensure_descriptors(std::uint64_t sockets,
                                                   const std::string& instead);

}  // namespace chatd::bench
