#include "client/chat/typed_layout.h"

#include <algorithm>

#include "client/chat/graphemes.h"

namespace chatd::client {
namespace {

constexpr std::size_t kSmallestRow = 2;  // takes any character

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

std::size_t rows_above_cursor(const TypedLayout& drawn, std::size_t columns) {
  const std::size_t width = std::max<std::size_t>(columns, 1);
  std::size_t rows = drawn.cursor_columns / width;
  for (std::size_t i = 0; i < drawn.cursor_row; ++i) {
    rows += std::max<std::size_t>((drawn.rows[i].columns + width - 1) / width, 1);
  }
  return rows;
}

}  // namespace chatd::client
