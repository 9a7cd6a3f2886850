// Where the line editor has put the cursor. libedit does not tell, and without it nothing can be
// printed above a line that is being typed. So this repeats how libedit lays a line out: which
// characters take two columns, how it shows control characters, and that a wide character which
// does not fit at the end of a row begins the next one.
//
// Thread: pure functions; character widths come from the locale (LC_CTYPE).
#pragma once

#include <cstddef>
#include <string_view>

namespace chatd::client {

// How many rows below the prompt's first one the cursor stands after `text` (the prompt and what
// follows it) on a screen of `columns` columns.
std::size_t rows_before_cursor(std::wstring_view text, std::size_t columns);

}  // namespace chatd::client
