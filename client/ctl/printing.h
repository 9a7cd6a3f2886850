// chatctl's way to its two streams. Thread: one.
#pragma once

#include <string>
#include <string_view>

#include "client/ctl/options.h"

namespace chatd::client::ctl {

// What was asked for. Not done when stdout cannot be written; a reader that has seen enough is no
// error.
ExitCode print(std::string_view text);
// The same for sanitized lines, each with its end: on a terminal none can look like two.
ExitCode print_lines(std::string_view lines);
// The same for JSON from chatd, with a line end, and safe for a terminal.
ExitCode print_json(std::string_view json);
// "chatctl: ..." on stderr, sanitized.
ExitCode print_error(std::string_view sentence);

}  // namespace chatd::client::ctl
