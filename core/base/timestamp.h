// Time as the core knows it: milliseconds of a monotonic clock that the caller reads. The core has
// no clock.
#pragma once

#include <cstdint>

namespace chatd {

using TimeMs = std::uint64_t;

}  // namespace chatd
