#include "core/wire/names.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>

#include "core/limits.h"

namespace chatd {
namespace {

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

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         simdjson::validate_utf8(name.data(), name.size()) && !has_control_character(name);
}

bool is_reserved_username(std::string_view name) {
  return name == kSystemSender || name == kServerSender;
}

}  // namespace chatd
