// Log2Buckets of sources that nobody has proven.
#include "core/ratelimit/hashed_buckets.h"

#include <gtest/gtest.h>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

constexpr std::size_t kSize = 4096;
constexpr TokenRate kOneASecond{.units = 1};

TEST(HashedBuckets, ASourceKeepsItsBucket) {
  HashedBuckets buckets(kSize, {});
  const IpAddress source = ip("192.0.2.1");
  EXPECT_TRUE(buckets[source].take(1'000'000, kOneASecond));
  EXPECT_FALSE(buckets[source].take(1'000'000, kOneASecond));
  EXPECT_TRUE(buckets["192.0.2.1"].take(1'000'000, kOneASecond));  // any bytes name a source
  EXPECT_FALSE(buckets["192.0.2.1"].take(1'000'000, kOneASecond));
}

TEST(HashedBuckets, CountsSourcesApart) {
  HashedBuckets buckets(kSize, {});
  int allowed = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    if (buckets[IpAddress::from_v4({192, 0, 2, i})].take(5'000, kOneASecond)) ++allowed;
  }
  EXPECT_GE(allowed, 90);  // a few may share an entry
}

// Spoofed sources without number: what all of them get is bounded by the table.
TEST(HashedBuckets, BoundsWhatAllSourcesGet) {
  HashedBuckets buckets(kSize, {});
  int allowed = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const IpAddress source =
        IpAddress::from_v4({10, static_cast<std::uint8_t>(i >> 16),
                            static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    if (buckets[source].take(5'000, kOneASecond)) ++allowed;
  }
  EXPECT_LE(allowed, 4'096);
  EXPECT_GE(allowed, 4'000);
}

// Who shares a bucket depends on the key: nobody can look for an address that empties another's.
TEST(HashedBuckets, TheKeySaysWhoSharesABucket) {
  KeyedHash::Key other_key{};
  other_key[0] = 1;
  HashedBuckets one(kSize, {});
  HashedBuckets other(kSize, other_key);
  const IpAddress victim = ip("192.0.2.1");
  const auto shares = [&victim](HashedBuckets& table, const IpAddress& ip) {
    return &table[ip] == &table[victim];
  };
  int in_one = 0;
  int in_both = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const IpAddress ip =
        IpAddress::from_v4({10, static_cast<std::uint8_t>(i >> 16),
                            static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    if (!shares(one, ip)) continue;
    ++in_one;
    if (shares(other, ip)) ++in_both;
  }
  EXPECT_GE(in_one, 20);  // 49 on average
  EXPECT_LE(in_both, 3);
}

}  // namespace
}  // namespace chatd
