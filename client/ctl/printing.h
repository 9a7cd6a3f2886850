// What chatctl shows, tables, lines and JSON, and its way to the two streams.
//
// Thread: one; character widths come from the locale (LC_CTYPE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/ctl/options.h"

namespace chatd::client::ctl {

// A table for a terminal: columns as wide as their widest cell, numbers to the right. Cells are
// sanitized here, so that no name that a user has chosen reaches the terminal raw.
class Table {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<std::string> cells);
  bool is_empty() const { return rows_.empty(); }

  // Lines with their ends. The titles are left out when all are empty.
  std::string text() const;

 private:
  std::vector<std::size_t> widths() const;
  void append_row(std::string& out, const std::vector<std::string>& cells,
                  const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

inline constexpr Table::Align kRight = Table::Align::kRight;

// What was asked for. Not done when stdout cannot be written; a reader that has gone is not an
// error.
ExitCode print(std::string_view text);
// The same for sanitized lines, each with its end: on a terminal none can look like two.
ExitCode print_lines(std::string_view lines);
// The same for JSON from chatd, with a line end, and safe for a terminal.
ExitCode print_json(std::string_view json);
// "chatctl: ..." on stderr, sanitized.
ExitCode print_error(std::string_view sentence);

}  // namespace chatd::client::ctl
