// Bytes from the keyboard as characters for the line editor.
// Thread: none of its own; no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chatd::client {

class KeyReader {
 public:
  void push(std::string_view bytes) { unread_.append(bytes); }
  // Nothing while a character is not whole. Bytes that belong to none are left out.
  std::optional<wchar_t> take();

 private:
  std::string unread_;
};

}  // namespace chatd::client
