// Text as a reader counts it: by grapheme clusters (Unicode Standard Annex 29), and by the columns
// that they take on a terminal.
//
// A letter with its accents, an emoji of several joined ones and a flag are one cluster each.
// Terminals disagree about the columns of those that are made of several visible characters: some
// draw one picture, some all of its parts. So there are two counts: what a terminal that knows
// clusters uses, for columns that should stand below each other, and the most that any uses, for
// rows that must not overflow.
//
// Thread: any; character widths come from the locale (LC_CTYPE), and from utf8proc for what the C
// library does not know yet.
#pragma once

#include <cstddef>
#include <string_view>

namespace chatd::client {

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

}  // namespace chatd::client
