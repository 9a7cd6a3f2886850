#include "tests/sim/words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace chatd::sim {
namespace {

constexpr std::size_t kIdDigits = 16;
constexpr std::string_view kEnd = "\"}";

// Half of the members speak in messages of one size (which make the longest trains), the others in
// all sizes.
std::size_t filler_bytes(MessageId id) {
  const std::uint64_t member = scatter(sender_of(id));
  const std::uint64_t roll = scatter(id);
  if ((member & 1) == 0) return (member >> 8) % 100;
  if (roll % 128 == 0) return (roll >> 8) % 3'400;
  if (roll % 8 == 0) return (roll >> 8) % 600;
  return (roll >> 8) % 50;
}

void append_id(std::string& out, MessageId id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, kIdDigits> digits;
  for (std::size_t i = kIdDigits; i-- > 0; id >>= 4) digits[i] = kDigits[id & 0xf];
  out.append(digits.data(), digits.size());
}

// How what is said with protocol v2 begins, and what it looks like in JSON.
struct Style {
  std::string_view text;
  std::string_view json;
};
constexpr std::array<Style, 4> kStyles = {
    Style{"", ""},
    Style{"she said: \"no\"\n", R"(she said: \"no\"\n)"},
    Style{"\ta\\b ", R"(\ta\\b )"},
    Style{"\xc3\xa4\xf0\x9f\x98\x80/", "\xc3\xa4\xf0\x9f\x98\x80/"},
};

const Style& style_of(MessageId id) {
  return kStyles[static_cast<std::size_t>(scatter(id + 3) % kStyles.size())];
}

std::size_t sealed_filler_bytes(MessageId id) {
  return std::min(filler_bytes(id), std::size_t{1000});
}

void append_v1_view(std::string& out, MessageId id, std::string_view sender) {
  out.append(R"({"sender":")").append(sender).append(R"(","message":")").append(style_of(id).json);
  out.append(sealed_filler_bytes(id), 'x');
  append_id(out, id);
  out.append(kEnd);
}

std::optional<MessageId> parse_id(std::string_view digits) {
  MessageId id = 0;
  for (const char digit : digits) {
    if (digit >= '0' && digit <= '9') {
      id = id << 4 | static_cast<MessageId>(digit - '0');
    } else if (digit >= 'a' && digit <= 'f') {
      id = id << 4 | static_cast<MessageId>(digit - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return id;
}

}  // namespace

bool is_plain(MessageId id) {
  return scatter(id + 1) % 4 != 0;
}

void append_text(std::string& out, MessageId id) {
  out.append(filler_bytes(id), 'x');
  append_id(out, id);
}

void append_message(std::string& out, MessageId id, std::string_view sender) {
  if (is_sealed(id)) return append_v1_view(out, id, sender);
  const std::uint64_t style = is_plain(id) ? 0 : 1 + scatter(id + 2) % 3;
  switch (style) {
    case 0:
      out.append(R"({"sender":")").append(sender).append(R"(","message":")");
      break;
    case 1:
      out.append(R"({"s\u0065nder":")").append(sender).append(R"(","message":"\ud83d\ude00 )");
      break;
    case 2:
      out.append(R"( {"operation" : 2, "nested":{"sender":[1,{}]} ,"sender": ")");
      out.append(sender).append(R"(", "message" : ")");
      break;
    default:
      out.append(R"({"message":"","sender":")").append(sender).append(R"(","":"\"}{\u0000)");
  }
  append_text(out, id);
  out.append(kEnd);
}

std::optional<MessageId> id_in(std::string_view payload) {
  if (payload.size() < kIdDigits + kEnd.size() || !payload.ends_with(kEnd)) return std::nullopt;
  return parse_id(payload.substr(payload.size() - kEnd.size() - kIdDigits, kIdDigits));
}

void append_sealed_content(std::string& out, MessageId id) {
  if ((id & kOpaqueBit) != 0) out.append("\0\xff", 2);
  out.append(style_of(id).text);
  out.append(sealed_filler_bytes(id), 'x');
  append_id(out, id);
}

std::optional<MessageId> id_in_sealed_content(std::string_view content) {
  if (content.size() < kIdDigits) return std::nullopt;
  return parse_id(content.substr(content.size() - kIdDigits));
}

}  // namespace chatd::sim
