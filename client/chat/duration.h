// Durations as people write them on a command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd::client {

// Milliseconds of "500ms", "5s", "2m", "1h" or plain seconds ("5"). Nothing for another form, for
// 0, and for more than a year.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

}  // namespace chatd::client
