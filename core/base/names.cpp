#include "core/base/names.h"

#include <simdjson.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/base/utf8.h"

namespace chatd {
namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

// In valid UTF-8 the C1 controls U+0080..U+009F are the byte C2 and then 80..9F.
bool has_control_character(std::string_view utf8) {
  std::uint8_t previous = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f || (previous == 0xc2 && byte < 0xa0)) return true;
    previous = byte;
  }
  return false;
}

bool is_blank(utf8proc_int32_t code_point) {
  if (code_point == ' ') return true;
  const auto category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

// What folding takes away: see folded_name().
bool is_unseen(utf8proc_int32_t code_point) {
  return utf8proc_category(code_point) == UTF8PROC_CATEGORY_CN ||
         utf8proc_get_property(code_point)->ignorable != 0;
}

// A character that is neither blank nor hidden.
bool has_visible_character(std::string_view utf8) {
  while (!utf8.empty()) {
    const Utf8Character character = decode_utf8(utf8);
    const auto code_point = static_cast<utf8proc_int32_t>(character.code_point);
    if (!is_blank(code_point) && !is_unseen(code_point)) return true;
    utf8.remove_prefix(character.size_bytes);
  }
  return false;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

// Appends a character of a name, without blanks at the front and one for several within it.
template <class Text, class Character>
void append_collapsed(Text& out, Character character, bool is_blank) {
  if (!is_blank) {
    out.push_back(character);
  } else if (!out.empty() && out.back() != ' ') {
    out.push_back(' ');
  }
}

template <class Text>
void drop_last_blank(Text& text) {
  if (!text.empty() && text.back() == ' ') text.pop_back();
}

// Nearly every name, and at a tenth of the cost.
std::string fold_ascii(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  for (const char c : name) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    append_collapsed(folded, is_capital ? static_cast<char>(c - 'A' + 'a') : c, c == ' ');
  }
  drop_last_blank(folded);
  return folded;
}

// Empty for what is not UTF-8.
CodePoints decompose(std::string_view text, unsigned options) {
  const auto* const bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size_bytes = static_cast<utf8proc_ssize_t>(text.size());
  const auto flags = static_cast<utf8proc_option_t>(options);
  CodePoints code_points(text.size());
  for (;;) {
    const auto room = static_cast<utf8proc_ssize_t>(code_points.size());
    const auto count = utf8proc_decompose(bytes, size_bytes, code_points.data(), room, flags);
    code_points.resize(static_cast<std::size_t>(std::max<utf8proc_ssize_t>(count, 0)));
    if (count <= room) return code_points;
  }
}

std::string encode(CodePoints code_points, unsigned options) {
  const auto count = static_cast<utf8proc_ssize_t>(code_points.size());
  code_points.push_back(0);  // the library writes the text into the same memory, and a zero
  const auto size_bytes =
      utf8proc_reencode(code_points.data(), count, static_cast<utf8proc_option_t>(options));
  if (size_bytes < 0) return {};
  return {reinterpret_cast<const char*>(code_points.data()), static_cast<std::size_t>(size_bytes)};
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         simdjson::validate_utf8(name.data(), name.size()) && !has_control_character(name) &&
         has_visible_character(name);
}

// Canonical equivalents fold to the same only when they are decomposed first (the Unicode Standard,
// D146). Code points that the library's Unicode does not know count for nothing: among them are
// those that are reserved for invisible characters.
std::string folded_name(std::string_view name) {
  if (is_ascii(name)) return fold_ascii(name);
  constexpr unsigned kCanonical = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  constexpr unsigned kFold = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                             UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STRIPNA;
  CodePoints folded;
  for (const auto code_point : decompose(encode(decompose(name, kCanonical), kCanonical), kFold)) {
    append_collapsed(folded, code_point, is_blank(code_point));
  }
  drop_last_blank(folded);
  return encode(std::move(folded), kFold);
}

bool is_reserved_username(std::string_view name) {
  const std::string folded = folded_name(name);
  static const std::string kSystem = folded_name(kSystemSender);
  static const std::string kServer = folded_name(kServerSender);
  return folded == kSystem || folded == kServer;
}

}  // namespace chatd
