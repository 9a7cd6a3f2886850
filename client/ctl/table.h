// A table for a terminal: columns as wide as their widest cell, numbers to the right. Cells are
// sanitized here, so that no name that a user has chosen reaches the terminal raw.
// Thread: any; character widths come from the locale (LC_CTYPE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::client {

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

}  // namespace chatd::client
