// The random stream: the same seed gives the same bytes, and nothing comes twice.
#include "core/base/random_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace chatd {
namespace {

TEST(RandomStream, IsDecidedByItsSeed) {
  RandomStream one({1, 2, 3});
  RandomStream same({1, 2, 3});
  RandomStream other({1, 2, 4});
  for (int i = 0; i < 100; ++i) {
    const auto bytes = one.next<16>();
    EXPECT_EQ(bytes, same.next<16>());
    EXPECT_NE(bytes, other.next<16>());
  }
}

TEST(RandomStream, NeverRepeats) {
  RandomStream stream({});
  std::set<std::array<std::uint8_t, 12>> seen;
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(seen.insert(stream.next<12>()).second);
}

// Calls of different sizes must not see the same part of the stream either.
TEST(RandomStream, CallsShareNoBytes) {
  RandomStream stream({});
  const auto short_one = stream.next<8>();
  const auto long_one = stream.next<64>();
  EXPECT_EQ(std::search(long_one.begin(), long_one.end(), short_one.begin(), short_one.end()),
            long_one.end());
}

TEST(RandomStream, UsesEveryBit) {
  RandomStream stream({});
  std::uint8_t ones = 0;
  std::uint8_t zeros = 0;
  for (int i = 0; i < 64; ++i) {
    const std::uint8_t byte = stream.next<1>()[0];
    ones = static_cast<std::uint8_t>(ones | byte);
    zeros = static_cast<std::uint8_t>(zeros | ~byte);
  }
  EXPECT_EQ(ones, 0xff);
  EXPECT_EQ(zeros, 0xff);
}

// RFC 8439's cipher with a zero key, nonce and counter: the first bytes that everyone gets.
TEST(RandomStream, IsChaCha20) {
  RandomStream stream({});
  const auto first = stream.next<8>();
  EXPECT_EQ(first, (std::array<std::uint8_t, 8>{0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90}));
}

}  // namespace
}  // namespace chatd
