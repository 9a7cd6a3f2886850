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
  std::string text = std::move(lines_.front().text);
  last_line_bytes_ = lines_.front().size_bytes;
  lines_.pop_front();
  return text;
}

void LineReader::append(std::string_view bytes) {
  if (bytes.empty()) return;
  has_partial_ = true;
  partial_bytes_ += bytes.size();
  partial_.append(bytes.substr(0, kMaxLineBytes - partial_.size()));
}

void LineReader::end_line() {
  if (partial_.ends_with('\r')) {
    partial_.pop_back();
    --partial_bytes_;
  }
  lines_.push_back({.text = std::move(partial_), .size_bytes = partial_bytes_});
  partial_.clear();
  partial_bytes_ = 0;
  has_partial_ = false;
}

}  // namespace chatd::client
