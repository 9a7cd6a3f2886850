#include "tests/sim/words.h"

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

}  // namespace

bool is_plain(MessageId id) {
  return scatter(id + 1) % 4 != 0;
}

void append_text(std::string& out, MessageId id) {
  out.append(filler_bytes(id), 'x');
  append_id(out, id);
}

void append_message(std::string& out, MessageId id, std::string_view sender) {
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
  MessageId id = 0;
  for (const char digit : payload.substr(payload.size() - kEnd.size() - kIdDigits, kIdDigits)) {
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

}  // namespace chatd::sim
