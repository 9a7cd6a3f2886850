#include "core/base/hidden.h"

#include <utf8proc.h>

#include "core/base/utf8.h"

namespace chatd {
namespace {

void append_unit(std::string& json, char32_t unit) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  json += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) json.push_back(kDigits[unit >> shift & 0xf]);
}

// Above U+FFFF JSON escapes the two halves of UTF-16.
void append_escape(std::string& json, char32_t code_point) {
  if (code_point > 0xffff) {
    const char32_t offset = code_point - 0x1'0000;
    append_unit(json, 0xd800 + (offset >> 10));
    code_point = 0xdc00 + (offset & 0x3ff);
  }
  append_unit(json, code_point);
}

}  // namespace

bool is_hidden(char32_t code_point) {
  const utf8proc_property_t& property =
      *utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  switch (property.category) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return property.ignorable != 0 || property.boundclass == UTF8PROC_BOUNDCLASS_CONTROL;
  }
}

std::string escape_hidden(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Utf8Character character = decode_utf8(json);
    if (is_hidden(character.code_point)) {
      append_escape(out, character.code_point);
    } else {
      out += json.substr(0, character.size_bytes);
    }
    json.remove_prefix(character.size_bytes);
  }
  return out;
}

}  // namespace chatd
