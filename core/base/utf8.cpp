#include "core/base/utf8.h"

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

}  // namespace chatd
