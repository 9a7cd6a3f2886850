#include "client/ctl/printing.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "client/terminal/layout.h"
#include "client/terminal/sanitize.h"
#include "core/base/utf8.h"

namespace chatd::client::ctl {

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = sanitize(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  return widths;
}

void Table::append_row(std::string& out, const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - display_width(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += columns_[i].align == Align::kRight ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

std::string Table::text() const {
  const std::vector<std::size_t> all_widths = widths();
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string out;
  const bool has_titles =
      std::any_of(titles.begin(), titles.end(), [](const auto& title) { return !title.empty(); });
  if (has_titles) append_row(out, titles, all_widths);
  for (const auto& row : rows_) append_row(out, row, all_widths);
  return out;
}

ExitCode print(std::string_view text) {
  const bool is_written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (is_written || errno == EPIPE) return ExitCode::kDone;
  return print_error(std::string("stdout cannot be written: ") + std::strerror(errno));
}

ExitCode print_lines(std::string_view lines) {
  return print(wrap_for(STDOUT_FILENO, lines));
}

ExitCode print_json(std::string_view json) {
  return print(escape_hidden(json) + "\n");
}

ExitCode print_error(std::string_view sentence) {
  std::fprintf(stderr, "chatctl: %s\n", sanitize(sentence).c_str());
  return ExitCode::kNotDone;
}

}  // namespace chatd::client::ctl
