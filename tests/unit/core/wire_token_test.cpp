// Tokens: both forms on the wire, the shard and slot inside, and comparison of every byte.
#include "core/wire/v1/token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

namespace chatd {
namespace {

constexpr std::array<std::uint8_t, kTokenSecretBytes> kSecret = {
    0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18, 0x29, 0x3a, 0x4b, 0x5c};

TEST(Token, CarriesShardSlotAndSecret) {
  const Token token(3, 0x010203, kSecret);
  EXPECT_EQ(token.shard(), 3);
  EXPECT_EQ(token.slot(), 0x010203u);
  EXPECT_EQ(token.hex(), "03010203a1b2c3d4e5f60718293a4b5c");
}

TEST(Token, HoldsTheLargestShardAndSlot) {
  const Token token(0xff, kMaxTokenSlot, kSecret);
  EXPECT_EQ(token.shard(), 0xff);
  EXPECT_EQ(token.slot(), kMaxTokenSlot);
}

TEST(Token, RoundTripsBothForms) {
  const Token token(1, 42, kSecret);
  ASSERT_EQ(token.hex().size(), 32u);
  ASSERT_EQ(token.raw().size(), 16u);
  for (const std::string& wire : {token.hex(), std::string(token.raw())}) {
    const auto parsed = Token::parse(wire);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, token);
    EXPECT_EQ(parsed->shard(), 1);
    EXPECT_EQ(parsed->slot(), 42u);
  }
}

TEST(Token, RoundTripsEveryByteValue) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string raw(kTokenBytes, static_cast<char>(value));
    const auto from_raw = Token::parse(raw);
    ASSERT_TRUE(from_raw.has_value());
    const auto from_hex = Token::parse(from_raw->hex());
    ASSERT_TRUE(from_hex.has_value());
    EXPECT_EQ(from_hex->raw(), raw);
  }
}

TEST(Token, HexDigitsMayBeOfEitherCase) {
  const Token token(1, 42, kSecret);
  std::string upper = token.hex();
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  ASSERT_NE(upper, token.hex());
  const auto parsed = Token::parse(upper);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, token);
}

TEST(Token, TakesHexDigitsAlone) {
  const std::string good = Token(1, 42, kSecret).hex();
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      std::string text = good;
      text[at] = static_cast<char>(value);
      const bool is_digit = kDigits.find(text[at]) != std::string_view::npos;
      ASSERT_EQ(Token::parse(text).has_value(), is_digit) << "byte " << value << " at " << at;
    }
  }
}

TEST(Token, HasTwoLengthsAndNoOther) {
  for (std::size_t length = 0; length < 64; ++length) {
    const bool known = length == kTokenBytes || length == kTokenHexBytes;
    EXPECT_EQ(Token::parse(std::string(length, '0')).has_value(), known) << length << " bytes";
  }
}

TEST(Token, DiffersWhenAnySingleBitDoes) {
  const Token token(1, 42, kSecret);
  for (std::size_t bit = 0; bit < 8 * kTokenBytes; ++bit) {
    std::string raw(token.raw());
    raw[bit / 8] = static_cast<char>(raw[bit / 8] ^ (1 << bit % 8));
    const auto other = Token::parse(raw);
    ASSERT_TRUE(other.has_value());
    EXPECT_FALSE(*other == token) << "bit " << bit;
  }
}

}  // namespace
}  // namespace chatd
