#include "client/chat/line_reader.h"

namespace chatd::client {

void LineReader::push(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n');
    append(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

void LineReader::finish() {
  if (has_partial_) end_line();
}

std::optional<std::string> LineReader::take() {
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

void LineReader::append(std::string_view bytes) {
  if (bytes.empty()) return;
  has_partial_ = true;
  partial_.append(bytes.substr(0, kMaxLineBytes - partial_.size()));
}

void LineReader::end_line() {
  if (partial_.ends_with('\r')) partial_.pop_back();
  lines_.push_back(std::move(partial_));
  partial_.clear();
  has_partial_ = false;
}

}  // namespace chatd::client
