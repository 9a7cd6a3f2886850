#include "client/terminal/layout.h"

#include <sys/ioctl.h>
#include <utf8proc.h>
#include <wchar.h>

#include <algorithm>

#include "core/base/utf8.h"

namespace chatd::client {
namespace {

constexpr std::size_t kPictureColumns = 2;
constexpr std::size_t kSmallestRow = 2;  // takes any character

// wcwidth(3) is what terminals use. utf8proc_charwidth() has 0 for the spacing vowel signs of Indic
// scripts (category Mc), which every terminal gives a column; so it is asked only about characters
// that the C library does not know.
std::size_t columns_of(char32_t code_point) {
  const int known = ::wcwidth(static_cast<wchar_t>(code_point));
  if (known >= 0) return static_cast<std::size_t>(known);
  return static_cast<std::size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(code_point)));
}

bool is_pictographic(char32_t code_point) {
  const auto* const property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

}  // namespace

Grapheme first_grapheme(std::string_view text) {
  const Utf8Character first = decode_utf8(text);
  std::size_t size_bytes = first.size_bytes;
  std::size_t sum = columns_of(first.code_point);
  std::size_t columns = sum;
  const bool is_picture = is_pictographic(first.code_point);
  utf8proc_int32_t state = 0;
  auto previous = static_cast<utf8proc_int32_t>(first.code_point);
  while (size_bytes < text.size()) {
    const Utf8Character next = decode_utf8(text.substr(size_bytes));
    const auto code_point = static_cast<utf8proc_int32_t>(next.code_point);
    if (utf8proc_grapheme_break_stateful(previous, code_point, &state)) break;
    sum += columns_of(next.code_point);
    if (!is_picture) columns = sum;
    if (next.code_point == kEmojiPresentation) columns = std::max(columns, kPictureColumns);
    size_bytes += next.size_bytes;
    previous = code_point;
  }
  return {text.substr(0, size_bytes), columns, std::max(sum, columns)};
}

// Where a cluster begins depends on what is before it, so there is no way from the end.
Grapheme last_grapheme(std::string_view text) {
  Grapheme last;
  while (!text.empty()) {
    last = first_grapheme(text);
    text.remove_prefix(last.text.size());
  }
  return last;
}

namespace {

std::size_t sum_over_graphemes(std::string_view text, std::size_t Grapheme::*columns) {
  std::size_t sum = 0;
  while (!text.empty()) {
    const Grapheme grapheme = first_grapheme(text);
    sum += grapheme.*columns;
    text.remove_prefix(grapheme.text.size());
  }
  return sum;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return sum_over_graphemes(text, &Grapheme::columns);
}

namespace {

constexpr std::size_t kIndentColumns = 8;  // more than the time of day and a blank
constexpr char kEscape = '\x1b';

class Wrapper {
 public:
  Wrapper(std::string& out, std::size_t columns)
      : out_(out),
        limit_(std::max(columns, kSmallestRow)),
        indent_(std::min(kIndentColumns, (limit_ - kSmallestRow) / 2)) {}

  void put(std::string_view line) {
    while (!line.empty()) {
      const Grapheme next = line[0] == kEscape ? colour(line) : first_grapheme(line);
      if (column_ + next.most_columns > limit_) break_row(next.most_columns);
      put(next);
      line.remove_prefix(next.text.size());
    }
  }

 private:
  // ESC [ ... m, which Style makes and nothing else does.
  static Grapheme colour(std::string_view line) {
    return {line.substr(0, std::min(line.find('m'), line.size() - 1) + 1), 0, 0};
  }

  void put(const Grapheme& next) {
    out_ += next.text;
    column_ += next.most_columns;
    if (next.text != " ") return;
    blank_at_ = out_.size() - 1;
    column_after_blank_ = column_;
  }

  // What follows the last blank goes down with what comes; a word that no row holds is cut.
  void break_row(std::size_t next_columns) {
    const std::string start_of_row = '\n' + std::string(indent_, ' ');
    const std::size_t word_columns = column_ - column_after_blank_;
    if (blank_at_ == std::string::npos || indent_ + word_columns + next_columns > limit_) {
      out_ += start_of_row;
      column_ = indent_;
    } else {
      out_.replace(blank_at_, 1, start_of_row);
      column_ = indent_ + word_columns;
    }
    blank_at_ = std::string::npos;
  }

  std::string& out_;
  std::size_t limit_;
  std::size_t indent_;
  std::size_t column_ = 0;
  std::size_t blank_at_ = std::string::npos;  // the last one of this row, in out_
  std::size_t column_after_blank_ = 0;
};

}  // namespace

std::string wrap(std::string_view lines, std::size_t columns) {
  std::string out;
  for (;;) {
    const std::size_t end = lines.find('\n');
    Wrapper(out, columns).put(lines.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    lines.remove_prefix(end + 1);
  }
}

std::string wrap_for(int fd, std::string_view lines) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::string(lines);
  return wrap(lines, size.ws_col);
}

namespace {

void append(TypedLayout& layout, std::string_view text, std::size_t limit) {
  while (!text.empty()) {
    const Grapheme next = first_grapheme(text);
    text.remove_prefix(next.text.size());
    if (next.text == "\n") {
      layout.rows.emplace_back();
      continue;
    }
    if (layout.rows.back().columns + next.most_columns > limit) layout.rows.emplace_back();
    layout.rows.back().text += next.text;
    layout.rows.back().columns += next.most_columns;
  }
}

void keep_rows_around_cursor(TypedLayout& layout, std::size_t max_rows) {
  auto& rows = layout.rows;
  const std::size_t kept = std::max<std::size_t>(max_rows, 1);
  if (rows.size() <= kept) return;
  const std::size_t end = std::max(layout.cursor_row + 1, kept);
  rows.resize(end);
  rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(kept));
  layout.cursor_row -= end - kept;
}

}  // namespace

TypedLayout lay_out_typed(std::string_view before_cursor, std::string_view after_cursor,
                          std::size_t columns, std::size_t max_rows) {
  const std::size_t limit = std::max(columns, kSmallestRow + 1) - 1;
  TypedLayout layout;
  layout.rows.emplace_back();
  append(layout, before_cursor, limit);
  layout.cursor_row = layout.rows.size() - 1;
  layout.cursor_bytes = layout.rows.back().text.size();
  layout.cursor_columns = layout.rows.back().columns;
  append(layout, after_cursor, limit);
  keep_rows_around_cursor(layout, max_rows);
  return layout;
}

std::size_t put_above(TypedLayout& layout, const std::vector<std::string>& lines,
                      std::size_t columns, std::size_t max_rows) {
  // One column is left free, as in all rows of the line being typed.
  const std::size_t limit = std::max(columns, kSmallestRow + 1) - 1;
  std::string text;
  for (const std::string& line : lines) text += wrap(line, limit) + '\n';
  std::vector<TypedLayout::Row> above;
  std::string_view rest = text;
  while (!rest.empty() && above.size() < max_rows) {
    const std::string_view row = rest.substr(0, rest.find('\n'));
    above.push_back(
        {.text = std::string(row), .columns = sum_over_graphemes(row, &Grapheme::most_columns)});
    rest.remove_prefix(row.size() + 1);
  }
  layout.cursor_row += above.size();
  layout.rows.insert(layout.rows.begin(), above.begin(), above.end());
  return above.size();
}

std::size_t rows_above_cursor(const TypedLayout& drawn, std::size_t columns) {
  const std::size_t width = std::max<std::size_t>(columns, 1);
  std::size_t rows = drawn.cursor_columns / width;
  for (std::size_t i = 0; i < drawn.cursor_row; ++i) {
    rows += std::max<std::size_t>((drawn.rows[i].columns + width - 1) / width, 1);
  }
  return rows;
}

}  // namespace chatd::client
