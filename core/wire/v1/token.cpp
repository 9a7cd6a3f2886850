#include "core/wire/v1/token.h"

#include <sodium/utils.h>

#include <algorithm>
#include <cstring>

namespace chatd {
namespace {

constexpr std::uint8_t kNotHex = 0xff;

consteval std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotHex);
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    values['a' + i] = static_cast<std::uint8_t>(10 + i);
    values['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kHexValues = make_hex_values();

}  // namespace

Token::Token(std::uint8_t shard, std::uint32_t slot,
             const std::array<std::uint8_t, kTokenSecretBytes>& secret) {
  bytes_[0] = shard;
  bytes_[1] = static_cast<std::uint8_t>(slot >> 16);
  bytes_[2] = static_cast<std::uint8_t>(slot >> 8);
  bytes_[3] = static_cast<std::uint8_t>(slot);
  std::copy(secret.begin(), secret.end(), bytes_.begin() + 4);
}

std::optional<Token> Token::parse(std::string_view wire) {
  Token token;
  if (wire.size() == kTokenBytes) {
    std::memcpy(token.bytes_.data(), wire.data(), kTokenBytes);
    return token;
  }
  if (wire.size() != kTokenHexBytes) return std::nullopt;
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < kTokenBytes; ++i) {
    const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(wire[2 * i])];
    const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(wire[2 * i + 1])];
    seen = static_cast<std::uint8_t>(seen | high | low);
    token.bytes_[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if ((seen & 0xf0) != 0) return std::nullopt;
  return token;
}

std::optional<std::uint8_t> Token::shard_in(std::string_view wire) {
  if (wire.size() == kTokenBytes) return static_cast<std::uint8_t>(wire[0]);
  if (wire.size() != kTokenHexBytes) return std::nullopt;
  const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(wire[0])];
  const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(wire[1])];
  if (((high | low) & 0xf0) != 0) return std::nullopt;
  return static_cast<std::uint8_t>(high << 4 | low);
}

std::uint32_t Token::slot() const {
  return static_cast<std::uint32_t>(bytes_[1]) << 16 | static_cast<std::uint32_t>(bytes_[2]) << 8 |
         bytes_[3];
}

std::string Token::hex() const {
  std::array<char, kTokenHexBytes + 1> text;
  return sodium_bin2hex(text.data(), text.size(), bytes_.data(), bytes_.size());
}

std::string_view Token::raw() const {
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

bool Token::operator==(const Token& other) const {
  return sodium_memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

}  // namespace chatd
