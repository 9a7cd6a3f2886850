// A small model of a terminal: what a person would see after a program has written these bytes.
// It knows what `chat` uses with TERM=xterm, and notes everything that it does not know, so that a
// test never judges a picture that is wrong. Combining marks take no column and are not in the
// picture; of an emoji of several parts there are two kinds of terminals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::test {

class Screen {
 public:
  Screen(std::size_t columns, std::size_t rows);

  // From now on parts that are joined (U+200D) are one picture, and not one each.
  void join_emoji() { joins_emoji_ = true; }

  void feed(std::string_view bytes);

  // A row as UTF-8, without the blanks at its end. Rows count from the top, also of what has been
  // scrolled off.
  std::vector<std::string> rows() const;
  // All rows with something on them, each followed by a line end.
  std::string text() const;
  // The row that the cursor is in.
  std::string cursor_row() const;
  std::size_t cursor_column() const { return column_; }

  bool bell() const { return bell_; }
  // Control bytes and escape sequences that this model does not know.
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  using Row = std::vector<char32_t>;

  Row& row();
  void put(char32_t character);
  void control(char byte);
  bool save_or_restore(char command);
  void escape_sequence(std::string_view parameters, char final);
  void move_down();
  void erase_in_row(std::size_t from, std::size_t to);
  static std::string to_utf8(const Row& row);

  std::size_t columns_;
  std::size_t height_;
  std::vector<Row> rows_;  // scrolled-off rows first
  std::size_t top_ = 0;    // the first visible one
  std::size_t row_ = 0;    // absolute
  std::size_t column_ = 0;
  bool wrap_pending_ = false;
  bool joins_emoji_ = false;
  bool is_joined_ = false;     // the next character to the last one
  std::size_t saved_row_ = 0;  // of what is visible
  std::size_t saved_column_ = 0;
  bool bell_ = false;
  std::string unfinished_;  // an escape sequence or character that goes on in the next bytes
  std::vector<std::string> unknown_;
};

}  // namespace chatd::test
