// UTF-8, one character at a time.
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

}  // namespace chatd
