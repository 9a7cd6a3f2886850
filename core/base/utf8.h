// UTF-8, one character at a time, and the characters that nobody sees.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd {

struct Utf8Character {
  enum class Status : std::uint8_t { kValid, kInvalid, kIncomplete };

  Status status = Status::kInvalid;
  char32_t code_point = 0;
  std::size_t size_bytes = 1;  // to move on by; 1 for an invalid byte
};

// The character at the front of `text`, which is not empty. kIncomplete: what is there may be the
// start of a character.
Utf8Character decode_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code_point);

// Characters that nobody sees, or that change how others are seen.
//
// An invisible character makes two names out of one and carries text past its reader; a
// bidirectional control turns text around; a control character is an order to a terminal. Which
// characters these are is a property of Unicode and not a list of ours: controls, format characters
// that are not shown, line and paragraph separators (what never joins a grapheme cluster),
// Default_Ignorable_Code_Point, and what this version of Unicode does not know, so that nobody can
// say what it looks like.
bool is_hidden(char32_t code_point);

// Hidden characters in a text that is JSON already, where they can only stand within strings:
// escaped as \u202e, so that the value stays what it was. `json` is valid UTF-8.
std::string escape_hidden(std::string_view json);

}  // namespace chatd
