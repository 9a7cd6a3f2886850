// Cuts a stream of bytes into lines.
// Thread: none of its own; no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::client {

// More than any message can have. Of a longer line the rest is thrown away as it comes, so that a
// file without line ends does not fill the memory.
inline constexpr std::size_t kMaxLineBytes = 64 * 1024;

class LineReader {
 public:
  void push(std::string_view bytes);
  // The input has ended: what came after the last line end is a line too.
  void finish();

  // In order, without the line end (LF or CR LF).
  std::optional<std::string> take();
  // How long the line that was taken last is in truth.
  std::uint64_t last_line_bytes() const { return last_line_bytes_; }
  bool empty() const { return lines_.empty(); }

 private:
  void append(std::string_view bytes);
  void end_line();

  struct Line {
    std::string text;
    std::uint64_t size_bytes;
  };

  std::string partial_;
  std::uint64_t partial_bytes_ = 0;
  bool has_partial_ = false;
  std::deque<Line> lines_;
  std::uint64_t last_line_bytes_ = 0;
};

}  // namespace chatd::client
