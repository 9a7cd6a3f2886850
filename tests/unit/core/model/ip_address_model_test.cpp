// IpAddress::parse against inet_pton, on texts that are addresses, nearly addresses, and noise.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "core/base/ip_address.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd {
namespace {

using test::Dice;

std::optional<IpAddress> by_inet_pton(const std::string& text) {
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return IpAddress::from_v6(v6);
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return IpAddress::from_v4(v4);
  return std::nullopt;
}

std::string random_v4(Dice& dice) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) text.push_back('.');
    text += std::to_string(dice.roll(dice.one_in(8) ? 1'000 : 256));
  }
  return text;
}

std::string random_group(Dice& dice) {
  static constexpr char kDigits[] = "0123456789abcdefABCDEF";
  std::string group;
  const std::uint64_t length = 1 + dice.roll(dice.one_in(20) ? 6 : 4);
  for (std::uint64_t i = 0; i < length; ++i) group.push_back(kDigits[dice.roll(22)]);
  return group;
}

std::string random_v6(Dice& dice) {
  std::string text;
  const std::uint64_t parts = 1 + dice.roll(9);
  const std::uint64_t gap = dice.roll(12);
  for (std::uint64_t i = 0; i < parts; ++i) {
    if (i > 0) text.push_back(':');
    if (i == gap) text += i == 0 ? "::" : ":";
    const bool is_last = i + 1 == parts;
    text += is_last && dice.one_in(3) ? random_v4(dice) : random_group(dice);
  }
  if (dice.one_in(10)) text += "::";
  return text;
}

std::string canonical_v6(Dice& dice) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = dice.one_in(2) ? 0 : static_cast<std::uint8_t>(dice.roll(256));
  std::array<char, INET6_ADDRSTRLEN> text{};
  EXPECT_NE(inet_ntop(AF_INET6, bytes.data(), text.data(), text.size()), nullptr);
  return text.data();
}

std::string mutated(Dice& dice, std::string text) {
  static constexpr char kAlphabet[] = "0123456789abcdefABCDEFgxX.:%/ []-+\x80";
  for (std::uint64_t n = dice.roll(3); n > 0; --n) {
    const auto at = static_cast<std::size_t>(dice.roll(text.size() + 1));
    const char c = kAlphabet[dice.roll(sizeof kAlphabet - 1)];
    switch (dice.roll(3)) {
      case 0:
        text.insert(at, 1, c);
        break;
      case 1:
        if (at < text.size()) text[at] = c;
        break;
      default:
        if (at < text.size()) text.erase(at, 1);
    }
  }
  return text;
}

std::string random_text(Dice& dice) {
  switch (dice.roll(4)) {
    case 0:
      return mutated(dice, random_v4(dice));
    case 1:
      return mutated(dice, canonical_v6(dice));
    case 2:
      return mutated(dice, random_v6(dice));
    default:
      return mutated(dice, random_group(dice) + ":" + random_group(dice) + "::");
  }
}

TEST(IpAddressModel, AgreesWithInetPton) {
  for (const std::uint64_t seed : test::model_seeds()) {
    Dice dice(seed);
    int addresses = 0;
    int others = 0;
    for (int i = 0; i < 100'000; ++i) {
      const std::string text = random_text(dice);
      const auto expected = by_inet_pton(text);
      ASSERT_EQ(IpAddress::parse(text), expected) << text << " " << seed;
      ++(expected ? addresses : others);
    }
    // Both kinds were tried.
    EXPECT_GT(addresses, 10'000);
    EXPECT_GT(others, 10'000);
  }
}

// What inet_ntop writes, parse reads, whatever the address.
TEST(IpAddressModel, ReadsEveryCanonicalText) {
  for (const std::uint64_t seed : test::model_seeds()) {
    Dice dice(seed);
    for (int i = 0; i < 20'000; ++i) {
      const std::string text = canonical_v6(dice);
      ASSERT_TRUE(IpAddress::parse(text).has_value()) << text << " " << seed;
    }
  }
}

}  // namespace
}  // namespace chatd
