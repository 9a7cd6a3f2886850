#include "client/chat/input.h"

#include "core/base/utf8.h"

namespace chatd::client {

std::optional<wchar_t> KeyReader::take() {
  while (!unread_.empty()) {
    const Utf8Character character = decode_utf8(unread_);
    if (character.status == Utf8Character::Status::kIncomplete) return std::nullopt;
    unread_.erase(0, character.size_bytes);
    if (character.status == Utf8Character::Status::kValid) {
      return static_cast<wchar_t>(character.code_point);
    }
  }
  return std::nullopt;
}

Command parse_command(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  if (line.find_first_not_of(kBlanks) == std::string_view::npos) return {};
  if (line.starts_with("//")) return {Command::Kind::kSay, std::string(line.substr(1))};
  if (!line.starts_with('/')) return {Command::Kind::kSay, std::string(line)};

  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  if (word == "/who") return {Command::Kind::kWho, ""};
  if (word == "/leave") return {Command::Kind::kLeave, ""};
  if (word == "/quit") return {Command::Kind::kQuit, ""};
  if (word == "/help") return {Command::Kind::kHelp, ""};
  return {Command::Kind::kUnknown, std::string(word)};
}

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
