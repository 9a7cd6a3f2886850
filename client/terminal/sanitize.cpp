#include "client/terminal/sanitize.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "client/terminal/layout.h"
#include "core/base/utf8.h"

namespace chatd::client {
namespace {

constexpr char32_t kNonJoiner = 0x200c;
constexpr char32_t kJoiner = 0x200d;
constexpr char32_t kKeycap = 0x20e3;
constexpr char32_t kTextPresentation = 0xfe0e;
constexpr char32_t kBlackFlag = 0x1f3f4;
constexpr char32_t kFirstTag = 0xe0020;
constexpr char32_t kLastTag = 0xe007f;
constexpr int kVirama = 9;  // a combining class

struct Character {
  char32_t code_point;
  std::string_view bytes;
  bool is_valid;
};
using Characters = std::vector<Character>;

Characters characters_of(std::string_view text) {
  Characters characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = decode_utf8(text);
    const bool is_valid = character.status == Utf8Character::Status::kValid;
    const std::size_t size_bytes = is_valid ? character.size_bytes : 1;
    characters.push_back({character.code_point, text.substr(0, size_bytes), is_valid});
    text.remove_prefix(size_bytes);
  }
  return characters;
}

const utf8proc_property_t& property_of(const Character& character) {
  return *utf8proc_get_property(static_cast<utf8proc_int32_t>(character.code_point));
}

bool is_emoji(const Character& character) {
  return property_of(character).boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

// A skin tone.
bool is_emoji_modifier(const Character& character) {
  const utf8proc_property_t& property = property_of(character);
  return property.category == UTF8PROC_CATEGORY_SK &&
         property.boundclass == UTF8PROC_BOUNDCLASS_EXTEND;
}

bool is_arabic_letter(const Character& character) {
  const utf8proc_property_t& property = property_of(character);
  return property.bidi_class == UTF8PROC_BIDI_CLASS_AL && property.category == UTF8PROC_CATEGORY_LO;
}

bool is_tag(const Character& character) {
  return character.code_point >= kFirstTag && character.code_point <= kLastTag;
}

// The character before `at` that `is_passed_over` does not hold for; nothing at the beginning.
template <class IsPassedOver>
const Character* before(const Characters& text, std::size_t at, IsPassedOver is_passed_over) {
  while (at > 0) {
    const Character& character = text[--at];
    if (!is_passed_over(character)) return &character;
  }
  return nullptr;
}

bool joins_emoji(const Characters& text, std::size_t at) {
  if (at + 1 == text.size() || !is_emoji(text[at + 1])) return false;
  const Character* const joined = before(text, at, [](const Character& character) {
    return character.code_point == kEmojiPresentation || is_emoji_modifier(character);
  });
  return joined != nullptr && is_emoji(*joined);
}

bool follows_virama(const Characters& text, std::size_t at) {
  return at > 0 && property_of(text[at - 1]).combining_class == kVirama;
}

bool parts_arabic_letters(const Characters& text, std::size_t at) {
  if (at + 1 == text.size() || !is_arabic_letter(text[at + 1])) return false;
  const Character* const letter = before(text, at, [](const Character& character) {
    return property_of(character).category == UTF8PROC_CATEGORY_MN &&
           !is_hidden(character.code_point);
  });
  return letter != nullptr && is_arabic_letter(*letter);
}

bool selects_emoji(const Characters& text, std::size_t at) {
  if (at == 0) return false;
  if (is_emoji(text[at - 1])) return true;
  const char32_t key = text[at - 1].code_point;
  const bool is_key = (key >= '0' && key <= '9') || key == '#' || key == '*';
  return is_key && at + 1 < text.size() && text[at + 1].code_point == kKeycap;
}

// Those that Unicode recommends: England, Scotland, Wales. Tags behind another character, or other
// ones, are a text that nobody sees.
bool is_in_flag(const Characters& text, std::size_t at) {
  static constexpr std::array<std::string_view, 3> kFlags{"gbeng\x7f", "gbsct\x7f", "gbwls\x7f"};
  std::size_t first = at;
  while (first > 0 && is_tag(text[first - 1])) --first;
  if (first == 0 || text[first - 1].code_point != kBlackFlag) return false;
  std::string tags;
  for (std::size_t i = first; i < text.size() && is_tag(text[i]); ++i) {
    tags.push_back(static_cast<char>(text[i].code_point - kFirstTag + ' '));
  }
  return std::find(kFlags.begin(), kFlags.end(), tags) != kFlags.end();
}

// Whether a hidden character does there what it is for.
bool is_at_home(const Characters& text, std::size_t at) {
  switch (text[at].code_point) {
    case kJoiner:
      return joins_emoji(text, at) || follows_virama(text, at);
    case kNonJoiner:
      return parts_arabic_letters(text, at) || follows_virama(text, at);
    case kTextPresentation:
    case kEmojiPresentation:
      return selects_emoji(text, at);
    default:
      return is_tag(text[at]) && is_in_flag(text, at);
  }
}

void append_number(std::string& out, const char* format, unsigned number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, number);
  out += text.data();
}

void append_disarmed(std::string& out, const Characters& text, std::size_t at) {
  const Character& character = text[at];
  if (!character.is_valid) {
    append_number(out, "<%02X>", static_cast<unsigned char>(character.bytes[0]));
  } else if (!is_hidden(character.code_point) || is_at_home(text, at)) {
    out += character.bytes;
  } else if (character.code_point < 0x20) {
    out.push_back('^');
    out.push_back(static_cast<char>(character.code_point + '@'));
  } else if (character.code_point == 0x7f) {
    out += "^?";
  } else {
    append_number(out, "<U+%04X>", static_cast<unsigned>(character.code_point));
  }
}

// Needs no quotation marks around it. What is hidden shows by itself that it is something else.
bool is_plain_in_name(const Character& character) {
  static constexpr std::string_view kPlainSigns = "-_.'@+";
  if (!character.is_valid || is_hidden(character.code_point)) return true;
  const int category = property_of(character).category;
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
         category == UTF8PROC_CATEGORY_SO || is_emoji(character) || is_emoji_modifier(character) ||
         (character.code_point < 0x80 &&
          kPlainSigns.find(static_cast<char>(character.code_point)) != std::string_view::npos);
}

bool needs_backslash(const Character& character) {
  return character.code_point == '"' || character.code_point == '\\' || character.code_point == '<';
}

}  // namespace

std::string sanitize(std::string_view text) {
  const Characters characters = characters_of(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < characters.size(); ++i) append_disarmed(out, characters, i);
  return out;
}

std::string sanitize_name(std::string_view name) {
  const Characters characters = characters_of(name);
  if (std::all_of(characters.begin(), characters.end(), is_plain_in_name)) return sanitize(name);
  std::string out = "\"";
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (needs_backslash(characters[i])) out.push_back('\\');
    append_disarmed(out, characters, i);
  }
  return out + '"';
}

}  // namespace chatd::client
