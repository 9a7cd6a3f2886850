#include "client/chat/disarm.h"

#include <array>
#include <cstdio>

#include "client/chat/utf8.h"

namespace chatd::client {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array<Range, 18> kDangerous{{
    {0x00, 0x1f},        // C0
    {0x7f, 0x9f},        // DEL, C1
    {0xad, 0xad},        // soft hyphen
    {0x034f, 0x034f},    // combining grapheme joiner
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180e, 0x180e},    // Mongolian vowel separator
    {0x200b, 0x200b},    // zero width space
    {0x200e, 0x200f},    // left-to-right and right-to-left mark
    {0x2028, 0x202e},    // line and paragraph separator, embeddings and overrides
    {0x2060, 0x2064},    // word joiner, invisible operators
    {0x2066, 0x206f},    // isolates, deprecated format characters
    {0x3164, 0x3164},    // Hangul filler
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff9, 0xfffb},    // interlinear annotation
    {0xe0000, 0xe001f},  // language tag and its neighbours; the tags after them make flags
}};

template <typename... Values>
void append_formatted(std::string& out, const char* format, Values... values) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  out += text.data();
}

void append_disarmed(std::string& out, char32_t code_point) {
  if (code_point < 0x20) {
    out.push_back('^');
    out.push_back(static_cast<char>(code_point + '@'));
  } else if (code_point == 0x7f) {
    out += "^?";
  } else {
    append_formatted(out, "<U+%04X>", static_cast<unsigned>(code_point));
  }
}

// Above U+FFFF JSON escapes the two halves of UTF-16.
void append_json_escape(std::string& out, char32_t code_point) {
  if (code_point > 0xffff) {
    const char32_t offset = code_point - 0x1'0000;
    append_formatted(out, "\\u%04x", static_cast<unsigned>(0xd800 + (offset >> 10)));
    code_point = 0xdc00 + (offset & 0x3ff);
  }
  append_formatted(out, "\\u%04x", static_cast<unsigned>(code_point));
}

}  // namespace

bool is_dangerous(char32_t code_point) {
  for (const Range& range : kDangerous) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

std::string disarm(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = decode_utf8(text);
    if (character.status != Utf8Character::Status::kValid) {
      append_formatted(out, "<%02X>", static_cast<unsigned>(static_cast<unsigned char>(text[0])));
      text.remove_prefix(1);
      continue;
    }
    if (is_dangerous(character.code_point)) {
      append_disarmed(out, character.code_point);
    } else {
      out += text.substr(0, character.size_bytes);
    }
    text.remove_prefix(character.size_bytes);
  }
  return out;
}

std::string escape_dangerous(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Utf8Character character = decode_utf8(json);
    if (is_dangerous(character.code_point)) {
      append_json_escape(out, character.code_point);
    } else {
      out += json.substr(0, character.size_bytes);
    }
    json.remove_prefix(character.size_bytes);
  }
  return out;
}

}  // namespace chatd::client
