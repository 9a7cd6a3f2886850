#include "client/chat/key_reader.h"

#include "core/base/utf8.h"

namespace chatd::client {

std::optional<wchar_t> KeyReader::take() {
  while (!unread_.empty()) {
    const Utf8Character character = decode_utf8(unread_);
    if (character.status == Utf8Character::Status::kIncomplete) return std::nullopt;
    unread_.erase(0, character.size_bytes);
    if (character.status == Utf8Character::Status::kValid) {
      return static_cast<wchar_t>(character.code_point);
    }
  }
  return std::nullopt;
}

}  // namespace chatd::client
