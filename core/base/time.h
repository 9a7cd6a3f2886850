// Time as the core knows it, and durations as people write them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd {

// Time as the core knows it: milliseconds of a monotonic clock that the caller reads. The core has
// no clock.
using TimeMs = std::uint64_t;

// The earlier of two deadlines, where there may be none.
inline std::optional<TimeMs> earliest(std::optional<TimeMs> a, std::optional<TimeMs> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Durations as people write them: in chatd's options, in those of chat and chatbench, in
// chatbench's objectives. Whoever reads one says what range it takes. Pure functions.

// Nanoseconds of "500ms", "1.5s", "5 min": a number, which may have a fraction, blanks, and a unit
// (ns, us or µs, ms, s, m or min, h), or plain seconds without one. Nothing for another form, and
// for more than three years.
std::optional<double> parse_duration_ns(std::string_view text);

// The same in whole milliseconds; nothing for a part of one.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

}  // namespace chatd
