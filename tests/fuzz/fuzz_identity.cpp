// What names a person to others and proves it to the server: names and tokens.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/request.h"
#include "core/base/limits.h"
#include "core/base/names.h"
#include "core/wire/v1/token.h"
#include "tests/fuzz/targets.h"
#include "tests/model/utf8.h"
#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

using test::is_utf8;
using test::take_code_point;

// From the specification: 1 to 255 bytes of UTF-8 without C0, DEL and C1, and with something to
// see.
bool may_be_a_name(std::string_view text) {
  if (text.empty() || text.size() > 255 || !is_utf8(text) || folded_name(text).empty())
    return false;
  while (!text.empty()) {
    const auto c = take_code_point(text);
    if (!c || *c < 0x20 || (*c >= 0x7f && *c <= 0x9f)) return false;
  }
  return true;
}

// What no reader sees or minds.
constexpr std::string_view kUnseen[] = {"\u200b", "\u00ad", "\u2060",
                                        "\ufe0f", "\u2065", "\U000e0041"};

void check_folding(std::string_view name) {
  const std::string folded = folded_name(name);
  require(folded_name(folded) == folded, "what is folded is folded");
  require(is_utf8(folded), "a folded name is text");
  require(is_reserved_username(name) == (folded == "system" || folded == "server"),
          "the server's names are its own in every spelling");
  require(folded_name(std::string(" ").append(name).append("\u3000")) == folded,
          "blanks at the edges are not seen");
  for (const std::string_view unseen : kUnseen) {
    require(folded_name(std::string(name).append(unseen)) == folded, "nor is what is invisible");
  }
}

void check_name(std::string_view text) {
  const bool is_name = is_valid_name(text);
  require(is_name == may_be_a_name(text), "a name is what the specification says");
  if (!is_name) return;
  require(client::check_name("name", text).has_value(), "the client lets every good name through");
  check_folding(text);
}

// Either form, by the specification.
std::optional<std::string> raw_bytes(std::string_view wire) {
  if (wire.size() == 16) return std::string(wire);
  if (wire.size() != 32) return std::nullopt;
  if (wire.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    return std::nullopt;
  }
  return test::raw_token(wire);
}

void check_token(std::string_view wire) {
  const auto token = Token::parse(wire);
  const auto raw = raw_bytes(wire);
  require(token.has_value() == raw.has_value(), "a token is what the specification says");
  if (!token) return;
  require(token->raw() == *raw, "the raw form is its bytes");
  require(Token::shard_in(wire) == token->shard(), "the shard can be read without the rest");
  require(Token::parse(token->raw()) == token, "the raw form reads as the same token");
  require(Token::parse(token->hex()) == token, "the hexadecimal form reads as the same token");
  require(token->hex().size() == kTokenHexBytes, "32 characters");

  std::array<std::uint8_t, kTokenSecretBytes> secret{};
  for (std::size_t i = 0; i < secret.size(); ++i) {
    secret[i] = static_cast<std::uint8_t>((*raw)[i + kTokenBytes - kTokenSecretBytes]);
  }
  require(Token(token->shard(), token->slot(), secret) == *token, "its parts make the token");
  for (std::size_t i = 0; i < kTokenBytes; ++i) {
    std::string other = *raw;
    other[i] = static_cast<char>(other[i] ^ 1);
    require(!(Token::parse(other) == token), "one wrong bit is another token");
  }
}

}  // namespace

void fuzz_identity(std::string_view input) {
  check_name(input);
  check_token(input);
  check_token(input.substr(0, kTokenBytes));
  check_token(input.substr(0, kTokenHexBytes));
}

}  // namespace chatd::fuzz
