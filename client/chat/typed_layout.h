// How the line being typed lies on the screen.
//
// Terminals disagree about how wide some characters are (graphemes.h). So a row ends before it
// could be full on any of them, and each begins with a line end of ours: how many rows there are is
// then the same everywhere. Where the cursor stands within its row is for the terminal to know: it
// is asked to remember the place when the text has been written up to there.
//
// Thread: pure functions; character widths come from the locale (LC_CTYPE).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::client {

struct TypedLayout {
  struct Row {
    std::string text;
    std::size_t columns = 0;  // the most that it takes
    bool operator==(const Row&) const = default;
  };

  std::vector<Row> rows;  // at least one
  std::size_t cursor_row = 0;
  std::size_t cursor_bytes = 0;    // of the row's text before the cursor
  std::size_t cursor_columns = 0;  // the most that these take
  bool operator==(const TypedLayout&) const = default;
};

// Both texts are sanitized; a line end in them begins a row. Of more than `max_rows` rows those
// around the cursor are shown.
TypedLayout lay_out_typed(std::string_view before_cursor, std::string_view after_cursor,
                          std::size_t columns, std::size_t max_rows);

// How many rows above the cursor the first one begins when the terminal has become `columns` wide
// and has broken the rows anew.
std::size_t rows_above_cursor(const TypedLayout& drawn, std::size_t columns);

}  // namespace chatd::client
