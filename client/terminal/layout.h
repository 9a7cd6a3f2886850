// How text lies on a terminal: the columns that it takes, lines that do not fit a row, and the line
// being typed.
//
// Thread: pure functions, but for the locale's widths (LC_CTYPE) and the terminal's size.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::client {

// Text as a reader counts it: by grapheme clusters (Unicode Standard Annex 29), and by the columns
// that they take on a terminal.
//
// A letter with its accents, an emoji of several joined ones and a flag are one cluster each.
// Terminals disagree about the columns of those that are made of several visible characters: some
// draw one picture, some all of its parts. So there are two counts: what a terminal that knows
// clusters uses, for columns that should stand below each other, and the most that any uses, for
// rows that must not overflow.

// Behind a character: show it as a picture, which is two columns wide.
inline constexpr char32_t kEmojiPresentation = 0xfe0f;

struct Grapheme {
  std::string_view text;
  std::size_t columns = 0;
  std::size_t most_columns = 0;
};

// The first one of a text that is not empty.
Grapheme first_grapheme(std::string_view text);
// The last one.
Grapheme last_grapheme(std::string_view text);

// In columns. `text` is sanitized.
std::size_t display_width(std::string_view text);

// Lines that do not fit a row of the terminal.
//
// A terminal continues a long line at the left edge, where lines begin. So a message could bring,
// after as many blanks as it takes, what looks like another person's line. Here lines are cut
// before the terminal does it, and all that goes on stands further in than any line begins.

// Each line of `lines` in rows of at most `columns` columns, broken at a blank where there is
// one. `lines` is sanitized; colours (Style) take no column.
std::string wrap(std::string_view lines, std::size_t columns);

// The same for the terminal that `fd` is; unchanged when it is not a terminal.
std::string wrap_for(int fd, std::string_view lines);

// How the line being typed lies on the screen.
//
// Terminals disagree about how wide some characters are. So a row ends before it could be full on
// any of them, and each begins with a line end of ours: how many rows there are is then the same
// everywhere. Where the cursor stands within its row is for the terminal to know: it
// is asked to remember the place when the text has been written up to there.
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

// Puts rows above it: each of `lines`, which are sanitized, wrapped. At most `max_rows`; how many.
std::size_t put_above(TypedLayout& layout, const std::vector<std::string>& lines,
                      std::size_t columns, std::size_t max_rows);

// How many rows above the cursor the first one begins when the terminal has become `columns` wide
// and has broken the rows anew.
std::size_t rows_above_cursor(const TypedLayout& drawn, std::size_t columns);

}  // namespace chatd::client
