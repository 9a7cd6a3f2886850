#include "client/chat/wrap.h"

#include <sys/ioctl.h>

#include <algorithm>

#include "client/chat/graphemes.h"

namespace chatd::client {
namespace {

constexpr std::size_t kIndentColumns = 8;  // more than the time of day and a blank
constexpr std::size_t kSmallestRow = 2;    // takes any character
constexpr char kEscape = '\x1b';

class Wrapper {
 public:
  Wrapper(std::string& out, std::size_t columns)
      : out_(out),
        limit_(std::max(columns, kSmallestRow)),
        indent_(std::min(kIndentColumns, (limit_ - kSmallestRow) / 2)) {}

  void put(std::string_view line) {
    while (!line.empty()) {
      const Grapheme next = line[0] == kEscape ? colour(line) : first_grapheme(line);
      if (column_ + next.most_columns > limit_) break_row(next.most_columns);
      put(next);
      line.remove_prefix(next.text.size());
    }
  }

 private:
  // ESC [ ... m, which style.h makes and nothing else does.
  static Grapheme colour(std::string_view line) {
    return {line.substr(0, std::min(line.find('m'), line.size() - 1) + 1), 0, 0};
  }

  void put(const Grapheme& next) {
    out_ += next.text;
    column_ += next.most_columns;
    if (next.text != " ") return;
    blank_at_ = out_.size() - 1;
    column_after_blank_ = column_;
  }

  // What follows the last blank goes down with what comes; a word that no row holds is cut.
  void break_row(std::size_t next_columns) {
    const std::string start_of_row = '\n' + std::string(indent_, ' ');
    const std::size_t word_columns = column_ - column_after_blank_;
    if (blank_at_ == std::string::npos || indent_ + word_columns + next_columns > limit_) {
      out_ += start_of_row;
      column_ = indent_;
    } else {
      out_.replace(blank_at_, 1, start_of_row);
      column_ = indent_ + word_columns;
    }
    blank_at_ = std::string::npos;
  }

  std::string& out_;
  std::size_t limit_;
  std::size_t indent_;
  std::size_t column_ = 0;
  std::size_t blank_at_ = std::string::npos;  // the last one of this row, in out_
  std::size_t column_after_blank_ = 0;
};

}  // namespace

std::string wrap(std::string_view lines, std::size_t columns) {
  std::string out;
  for (;;) {
    const std::size_t end = lines.find('\n');
    Wrapper(out, columns).put(lines.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    lines.remove_prefix(end + 1);
  }
}

std::string wrap_for(int fd, std::string_view lines) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::string(lines);
  return wrap(lines, size.ws_col);
}

}  // namespace chatd::client
