#include "client/chat/graphemes.h"

#include <utf8proc.h>
#include <wchar.h>

#include <algorithm>

#include "core/base/utf8.h"

namespace chatd::client {
namespace {

constexpr std::size_t kPictureColumns = 2;

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

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Grapheme grapheme = first_grapheme(text);
    width += grapheme.columns;
    text.remove_prefix(grapheme.text.size());
  }
  return width;
}

}  // namespace chatd::client
