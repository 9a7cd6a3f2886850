// Lines that do not fit a row of the terminal.
//
// A terminal continues a long line at the left edge, where lines begin. So a message could bring,
// after as many blanks as it takes, what looks like another person's line. Here lines are cut
// before the terminal does it, and all that goes on stands further in than any line begins.
//
// Thread: pure functions, but for the locale's widths (graphemes.h) and the terminal's size.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd::client {

// Each line of `lines` in rows of at most `columns` columns, broken at a blank where there is
// one. `lines` is sanitized; colours (style.h) take no column.
std::string wrap(std::string_view lines, std::size_t columns);

// The same for the terminal that `fd` is; unchanged when it is none.
std::string wrap_for(int fd, std::string_view lines);

}  // namespace chatd::client
