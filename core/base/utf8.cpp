#include "core/base/utf8.h"

#include <utf8proc.h>

#include <array>

namespace chatd {

namespace {

constexpr char32_t kLargest = 0x10'ffff;

bool is_surrogate(char32_t code_point) {
  return code_point >= 0xd800 && code_point <= 0xdfff;
}

std::size_t length_from(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

}  // namespace

Utf8Character decode_utf8(std::string_view text) {
  static constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x1'0000};
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t length = length_from(lead);
  if (length == 0) return {};
  if (length == 1) return {Utf8Character::Status::kValid, lead, 1};

  char32_t code_point = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8Character::Status::kIncomplete, 0, i};
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (byte & 0x3fU);
  }
  if (code_point < kSmallest[length] || code_point > kLargest || is_surrogate(code_point)) {
    return {};
  }
  return {Utf8Character::Status::kValid, code_point, length};
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x1'0000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

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
