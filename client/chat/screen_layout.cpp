#include "client/chat/screen_layout.h"

#include <cwchar>
#include <cwctype>

#include <algorithm>

namespace chatd::client {
namespace {

constexpr std::size_t kTabStop = 8;

class Cursor {
 public:
  explicit Cursor(std::size_t columns) : columns_(std::max<std::size_t>(columns, 1)) {}

  std::size_t row() const { return row_; }

  void put(std::size_t width) {
    if (column_ + width > columns_) next_row();
    column_ += width;
    if (column_ >= columns_) next_row();
  }
  void put_narrow(std::size_t count) {
    while (count-- > 0) put(1);
  }
  void tab() {
    do put(1);
    while (column_ % kTabStop != 0);
  }
  void next_row() {
    ++row_;
    column_ = 0;
  }

 private:
  std::size_t columns_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

// libedit's ct_chr_class() and ct_visual_char().
void put_character(Cursor& cursor, wchar_t character) {
  constexpr wchar_t kBytesEnd = 0x100;
  constexpr wchar_t kPlaneEnd = 0x10000;
  const auto as_wint = static_cast<std::wint_t>(static_cast<char32_t>(character));
  if (character == L'\t') {
    cursor.tab();
  } else if (character == L'\n') {
    cursor.next_row();
  } else if (character < kBytesEnd && std::iswcntrl(as_wint) != 0) {
    cursor.put_narrow(2);  // ^A
  } else if (std::iswprint(as_wint) != 0) {
    const int width = ::wcwidth(character);
    cursor.put(width > 0 ? static_cast<std::size_t>(width) : 0);
  } else {
    cursor.put_narrow(character < kPlaneEnd ? 7 : 8);  // \U+E000, \U+10FFF
  }
}

}  // namespace

std::size_t rows_before_cursor(std::wstring_view text, std::size_t columns) {
  Cursor cursor(columns);
  for (const wchar_t character : text) put_character(cursor, character);
  return cursor.row();
}

}  // namespace chatd::client
