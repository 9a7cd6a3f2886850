#include "bench/chatbench/target/broker/codec.h"

#include <charconv>
#include <initializer_list>
#include <optional>
#include <system_error>

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;

// A subscriber hears arrays of three; HELLO answers with a map of some pairs. What is deeper or
// longer is not for us.
constexpr int kMaxDepth = 4;
constexpr std::int64_t kMaxElements = 64;

void append_command(std::initializer_list<std::string_view> words, std::string& out) {
  out.append("*").append(std::to_string(words.size())).append(kLineEnd);
  for (const std::string_view word : words) {
    out.append("$").append(std::to_string(word.size())).append(kLineEnd);
    out.append(word).append(kLineEnd);
  }
}

// One value of the protocol, from the beginning of `rest`. Values within it are walked over; of
// the outermost the first and the third string are kept.
class RespReader {
 public:
  enum class Outcome : std::uint8_t { kWhole, kIncomplete, kMalformed };

  explicit RespReader(std::string_view buffer) : buffer_(buffer) {}

  Outcome read_value(int depth = 0) {
    const auto line = read_line();
    if (!line) return Outcome::kIncomplete;
    if (line->empty() || depth > kMaxDepth) return Outcome::kMalformed;
    const char type = line->front();
    switch (type) {
      case '$':
      case '=':
        return read_bulk(line->substr(1), depth);
      case '*':
      case '>':
      case '~':
        return read_elements(line->substr(1), 1, depth);
      case '%':
        return read_elements(line->substr(1), 2, depth);
      case '-':
        error_ = line->substr(1);
        return Outcome::kWhole;
      case '+':
      case ':':
      case '_':
      case '#':
      case ',':
        keep(line->substr(1), depth);
        return Outcome::kWhole;
      default:
        return Outcome::kMalformed;
    }
  }

  std::size_t size_bytes() const { return at_; }
  std::optional<std::string_view> error() const { return error_; }
  std::string_view first() const { return first_; }
  std::string_view third() const { return third_; }

 private:
  std::optional<std::string_view> read_line() {
    const std::size_t end = buffer_.find(kLineEnd, at_);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = buffer_.substr(at_, end - at_);
    at_ = end + kLineEnd.size();
    return line;
  }

  static std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  Outcome read_bulk(std::string_view length_text, int depth) {
    const auto length = number_of(length_text);
    if (!length) return Outcome::kMalformed;
    if (*length < 0) return Outcome::kWhole;  // null
    const auto size = static_cast<std::size_t>(*length);
    if (size > buffer_.size() || buffer_.size() - at_ < size + kLineEnd.size()) {
      return Outcome::kIncomplete;
    }
    keep(buffer_.substr(at_, size), depth);
    at_ += size + kLineEnd.size();
    return Outcome::kWhole;
  }

  Outcome read_elements(std::string_view count_text, std::int64_t each, int depth) {
    const auto count = number_of(count_text);
    if (!count || *count > kMaxElements) return Outcome::kMalformed;
    for (std::int64_t i = 0; i < *count * each; ++i) {
      element_ = depth == 0 ? i : element_;
      const Outcome outcome = read_value(depth + 1);
      if (outcome != Outcome::kWhole) return outcome;
    }
    return Outcome::kWhole;
  }

  void keep(std::string_view text, int depth) {
    if (depth == 0 || (depth == 1 && element_ == 0)) first_ = text;
    if (depth == 1 && element_ == 2) third_ = text;
  }

  std::string_view buffer_;
  std::size_t at_ = 0;
  std::int64_t element_ = 0;  // of the outermost value
  std::optional<std::string_view> error_;
  std::string_view first_;
  std::string_view third_;
};

}  // namespace

// Whoever subscribes is ready when that is confirmed; who only publishes asks for a PONG.
void RedisCodec::introduce(Role role, std::string_view /*name*/, std::string_view room,
                           std::string& out) const {
  if (role == Role::kBoth) append_command({"HELLO", "3"}, out);
  if (role == Role::kPublisher) {
    append_command({"PING"}, out);
  } else {
    append_command({"SUBSCRIBE", room}, out);
  }
}

void RedisCodec::publish(std::string_view room, std::string_view payload, std::string& out) const {
  append_command({"PUBLISH", room, payload}, out);
}

BrokerItem RedisCodec::next_item(std::string_view buffer) const {
  RespReader reader(buffer);
  const RespReader::Outcome outcome = reader.read_value();
  if (outcome == RespReader::Outcome::kIncomplete) return {};
  if (outcome == RespReader::Outcome::kMalformed) {
    return {
        .kind = Kind::kError, .size_bytes = buffer.size(), .text = "this is not Redis speaking"};
  }
  BrokerItem item{.kind = Kind::kIgnored, .size_bytes = reader.size_bytes()};
  if (const auto error = reader.error()) {
    item.kind = Kind::kError;
    item.text = *error;
  } else if (reader.first() == "message") {
    item.kind = Kind::kMessage;
    item.text = reader.third();
  } else if (reader.first() == "subscribe" || reader.first() == "PONG") {
    item.kind = Kind::kReady;
  }
  return item;
}

}  // namespace chatd::bench
