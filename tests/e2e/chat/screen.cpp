#include "tests/e2e/chat/screen.h"

#include <algorithm>
#include <cstdlib>
#include <cwchar>
#include <utility>

namespace chatd::test {
namespace {

constexpr char32_t kBlank = U' ';
// The second column of a wide character.
constexpr char32_t kWideRest = 0;
constexpr char kEscape = '\x1b';
constexpr char32_t kJoiner = 0x200d;

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

char32_t decode(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (bytes.size() == 1) return lead;
  char32_t character = lead & (0x7fU >> bytes.size());
  for (const char byte : bytes.substr(1)) {
    character = character << 6 | (static_cast<unsigned char>(byte) & 0x3fU);
  }
  return character;
}

void append_utf8(std::string& out, char32_t character) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (character < 0x80) return put(character);
  if (character < 0x800) {
    put(0xc0 | character >> 6);
  } else {
    if (character < 0x1'0000) {
      put(0xe0 | character >> 12);
    } else {
      put(0xf0 | character >> 18);
      put(0x80 | (character >> 12 & 0x3f));
    }
    put(0x80 | (character >> 6 & 0x3f));
  }
  put(0x80 | (character & 0x3f));
}

// Of what stands at the front: 0 when more bytes are needed.
std::size_t sequence_length(std::string_view bytes) {
  if (bytes[0] != kEscape) {
    const std::size_t length = length_of(static_cast<unsigned char>(bytes[0]));
    return bytes.size() < length ? 0 : length;
  }
  if (bytes.size() < 2) return 0;
  if (bytes[1] != '[') return 2;
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    if (bytes[i] >= '@' && bytes[i] <= '~') return i + 1;
  }
  return 0;
}

}  // namespace

Screen::Screen(std::size_t columns, std::size_t rows)
    : columns_(columns), height_(rows), rows_(rows, Row(columns, kBlank)) {}

void Screen::feed(std::string_view bytes) {
  const std::string all = unfinished_ + std::string(bytes);
  unfinished_.clear();
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t length = sequence_length(rest);
    if (length == 0) {
      unfinished_ = rest;
      return;
    }
    const std::string_view next = rest.substr(0, length);
    rest.remove_prefix(length);
    if (next[0] == kEscape && length > 2) {
      escape_sequence(next.substr(2, length - 3), next.back());
    } else if (next[0] == kEscape) {
      if (!save_or_restore(next[1])) unknown_.emplace_back(next);
    } else if (length == 1 && (next[0] < ' ' || next[0] == '\x7f')) {
      control(next[0]);
    } else {
      put(decode(next));
    }
  }
}

Screen::Row& Screen::row() {
  return rows_[row_];
}

void Screen::put(char32_t character) {
  const int measured = ::wcwidth(static_cast<wchar_t>(character));
  if (measured < 0) {
    std::string text;
    append_utf8(text, character);
    unknown_.push_back(text);
    return;
  }
  const auto width = static_cast<std::size_t>(measured);
  const bool is_part = std::exchange(is_joined_, joins_emoji_ && character == kJoiner);
  if (width == 0 || is_part) return;
  if (wrap_pending_ || column_ + width > columns_) {
    move_down();
    column_ = 0;
  }
  wrap_pending_ = false;
  row()[column_] = character;
  if (width == 2) row()[column_ + 1] = kWideRest;
  column_ += width;
  if (column_ >= columns_) {
    column_ = columns_ - 1;
    wrap_pending_ = true;
  }
}

void Screen::control(char byte) {
  switch (byte) {
    case '\r':
      column_ = 0;
      break;
    case '\n':
      move_down();
      break;
    case '\b':
      if (column_ > 0) --column_;
      break;
    case '\t':
      column_ = std::min((column_ / 8 + 1) * 8, columns_ - 1);
      break;
    case '\a':
      bell_ = true;
      return;
    default:
      unknown_.emplace_back(1, byte);
      return;
  }
  wrap_pending_ = false;
}

bool Screen::save_or_restore(char command) {
  if (command == '7') {
    saved_row_ = row_ - top_;
    saved_column_ = column_;
  } else if (command == '8') {
    row_ = top_ + saved_row_;
    column_ = saved_column_;
    wrap_pending_ = false;
  } else {
    return false;
  }
  return true;
}

void Screen::escape_sequence(std::string_view parameters, char final) {
  const std::size_t number = std::strtoul(std::string(parameters).c_str(), nullptr, 10);
  const std::size_t count = std::max<std::size_t>(number, 1);
  const auto at = [this] { return row().begin() + static_cast<std::ptrdiff_t>(column_); };
  if (final == 'm') return;  // colours
  wrap_pending_ = false;
  if (final == 'A') {
    row_ -= std::min(count, row_ - top_);
  } else if (final == 'B') {
    row_ = std::min(row_ + count, top_ + height_ - 1);
  } else if (final == 'C') {
    column_ = std::min(column_ + count, columns_ - 1);
  } else if (final == 'D') {
    column_ -= std::min(count, column_);
  } else if (final == 'G') {
    column_ = std::min(count, columns_) - 1;
  } else if (final == 'K' && number == 0) {
    erase_in_row(column_, columns_);
  } else if (final == 'J' && number == 0) {
    erase_in_row(column_, columns_);
    for (std::size_t i = row_ + 1; i < rows_.size(); ++i) rows_[i].assign(columns_, kBlank);
  } else if (final == 'P') {
    row().erase(at(), at() + static_cast<std::ptrdiff_t>(std::min(count, columns_ - column_)));
    row().resize(columns_, kBlank);
  } else if (final == '@') {
    row().insert(at(), count, kBlank);
    row().resize(columns_);
  } else {
    unknown_.push_back("CSI " + std::string(parameters) + final);
  }
}

void Screen::move_down() {
  ++row_;
  if (row_ < top_ + height_) return;
  rows_.emplace_back(columns_, kBlank);
  ++top_;
}

void Screen::erase_in_row(std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) row()[i] = kBlank;
}

std::string Screen::to_utf8(const Row& row) {
  std::string text;
  for (const char32_t character : row) {
    if (character != kWideRest) append_utf8(text, character);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> Screen::rows() const {
  std::vector<std::string> texts;
  for (const Row& row : rows_) texts.push_back(to_utf8(row));
  return texts;
}

std::string Screen::text() const {
  std::string text;
  for (const std::string& row : rows()) {
    if (!row.empty()) text += row + "\n";
  }
  return text;
}

std::string Screen::cursor_row() const {
  return to_utf8(rows_[row_]);
}

}  // namespace chatd::test
