// What a person would see after a program has written these bytes: libvterm's terminal, and the
// rows that it has scrolled off. Combining marks take no column and are not in the picture; of an
// emoji of several parts there are two kinds of terminals.
#pragma once

#include <vterm.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::test {

class Screen {
 public:
  Screen(int columns, int rows);
  // libvterm knows where it is.
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

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
  std::size_t cursor_column() const { return static_cast<std::size_t>(cursor().col); }

  bool bell() const { return bell_; }
  // What no terminal should be told by `chat`: bytes that are no UTF-8, what libvterm does not
  // know, what changes the terminal itself (its title, its mouse), and what it would answer.
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  void watch();
  bool is_drawn(char byte);
  void note_what_is_no_text(VTermRect damaged);
  VTermPos cursor() const;
  std::string row(int number) const;
  static std::string to_utf8(std::span<const VTermScreenCell> cells);

  int columns_;
  int height_;
  std::unique_ptr<VTerm, decltype(&vterm_free)> terminal_;
  VTermScreen* screen_;                    // the terminal's
  std::vector<std::string> scrolled_off_;  // the oldest row first
  bool joins_emoji_ = false;
  bool is_part_ = false;   // the character that comes in, of the picture before it
  std::string character_;  // the last one, as far as it has come
  bool bell_ = false;
  std::vector<std::string> unknown_;
};

}  // namespace chatd::test
