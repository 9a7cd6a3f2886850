// What one address may ask for: a bucket of requests and a number of rooms.
#include "core/ratelimit/address_limiter.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

constexpr std::uint32_t kTracked = 10'000;

class AddressLimiterTest : public testing::Test {
 protected:
  // The limiter refers to limits_, so that each test may set them first.
  std::uint32_t count_allowed(const IpAddress& from) {
    std::uint32_t allowed = 0;
    while (allowed < 100'000 && limiter_.allow_request(now_ms_, from)) ++allowed;
    return allowed;
  }

  AbuseLimits limits_{.max_address_rooms = 2, .max_address_requests_per_s = 10};
  AddressLimiter limiter_{limits_, kTracked, {}};
  TimeMs now_ms_ = 1'000'000;
};

TEST_F(AddressLimiterTest, ABurstIsFourSeconds) {
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 40u);
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 0u);
  EXPECT_EQ(count_allowed(ip("192.0.2.2")), 40u);  // each address for itself
}

TEST_F(AddressLimiterTest, TheBucketFillsWithTime) {
  count_allowed(ip("192.0.2.1"));
  now_ms_ += 99;
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 0u);
  now_ms_ += 1;
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 1u);
  now_ms_ += 1'000;
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 10u);
  now_ms_ += 1'000'000'000;
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 40u);  // and no fuller
}

// However often it is asked and whatever the rate is: in ten seconds, ten seconds' worth.
TEST_F(AddressLimiterTest, TheRateIsExact) {
  for (const std::uint32_t rate : {1u, 3u, 7u, 700u, 999u, 1'000u, 1'001u, 1'500u, 12'345u}) {
    limits_.max_address_requests_per_s = rate;
    AddressLimiter limiter(limits_, kTracked, {});
    const auto drain = [&] {
      std::uint32_t allowed = 0;
      while (allowed < 1'000'000 && limiter.allow_request(now_ms_, ip("192.0.2.1"))) ++allowed;
      return allowed;
    };
    EXPECT_EQ(drain(), 4 * rate);
    std::uint32_t allowed = 0;
    for (int ms = 0; ms < 10'000; ++ms) {
      ++now_ms_;
      allowed += drain();
      ASSERT_LT(allowed, 1'000'000u) << rate;
    }
    EXPECT_EQ(allowed, 10 * rate);
  }
}

TEST_F(AddressLimiterTest, ZeroIsNoLimit) {
  limits_.max_address_requests_per_s = 0;
  limits_.max_address_rooms = 0;
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 100'000u);
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(limiter_.open_room(now_ms_, ip("192.0.2.1")));
}

TEST_F(AddressLimiterTest, Ipv6CountsByItsPrefixOf64Bits) {
  EXPECT_EQ(count_allowed(ip("2001:db8:0:1::1")), 40u);
  EXPECT_EQ(count_allowed(ip("2001:db8:0:1:ffff:ffff:ffff:ffff")), 0u);
  EXPECT_EQ(count_allowed(ip("2001:db8:0:2::1")), 40u);
  EXPECT_TRUE(limiter_.open_room(now_ms_, ip("2001:db8:0:1::1")));
  EXPECT_TRUE(limiter_.open_room(now_ms_, ip("2001:db8:0:1::2")));
  EXPECT_FALSE(limiter_.open_room(now_ms_, ip("2001:db8:0:1::3")));
  EXPECT_TRUE(limiter_.open_room(now_ms_, ip("2001:db8:0:2::3")));
  // IPv4 addresses share the first 64 bits, and are counted one by one.
  EXPECT_EQ(count_allowed(ip("::ffff:192.0.2.1")), 40u);
  EXPECT_EQ(count_allowed(ip("192.0.2.1")), 0u);
  EXPECT_EQ(count_allowed(ip("192.0.2.2")), 40u);
}

TEST_F(AddressLimiterTest, LoopbackIsExemptUnlessAskedFor) {
  for (const char* text : {"127.0.0.1", "127.3.2.1", "::1"}) {
    limits_.limit_loopback = false;
    EXPECT_EQ(count_allowed(ip(text)), 100'000u) << text;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter_.open_room(now_ms_, ip(text))) << text;
    limits_.limit_loopback = true;
    EXPECT_EQ(count_allowed(ip(text)), 40u) << text;
    EXPECT_FALSE(limiter_.open_room(now_ms_, ip(text))) << text << ": it has ten";
    for (int i = 0; i < 10; ++i) limiter_.release_room(ip(text));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(limiter_.open_room(now_ms_, ip(text))) << text;
    EXPECT_FALSE(limiter_.open_room(now_ms_, ip(text))) << text;
  }
}

TEST_F(AddressLimiterTest, RoomsAreCountedAndReleased) {
  const IpAddress here = ip("192.0.2.1");
  EXPECT_TRUE(limiter_.open_room(now_ms_, here));
  EXPECT_TRUE(limiter_.open_room(now_ms_, here));
  EXPECT_FALSE(limiter_.open_room(now_ms_, here));
  EXPECT_TRUE(limiter_.open_room(now_ms_, ip("192.0.2.2")));
  limiter_.release_room(here);
  EXPECT_TRUE(limiter_.open_room(now_ms_, here));
  EXPECT_FALSE(limiter_.open_room(now_ms_, here));
}

TEST_F(AddressLimiterTest, NewLimitsKnowWhatIsOpenAlready) {
  limits_ = AbuseLimits::none();
  for (const char* address : {"192.0.2.1", "127.0.0.1"}) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(limiter_.open_room(now_ms_, ip(address)));
      EXPECT_TRUE(limiter_.open_connection(now_ms_, ip(address)));
    }
  }
  limits_ = {.max_address_rooms = 3, .max_address_connections = 3, .limit_loopback = true};
  for (const char* address : {"192.0.2.1", "127.0.0.1"}) {
    EXPECT_FALSE(limiter_.open_room(now_ms_, ip(address))) << address;
    EXPECT_FALSE(limiter_.open_connection(now_ms_, ip(address))) << address;
    limiter_.release_room(ip(address));
    limiter_.release_connection(ip(address));
    EXPECT_TRUE(limiter_.open_room(now_ms_, ip(address))) << address;
    EXPECT_TRUE(limiter_.open_connection(now_ms_, ip(address))) << address;
  }
}

TEST_F(AddressLimiterTest, ReleasingWhatWasNotCountedDoesNothing) {
  const IpAddress here = ip("192.0.2.1");
  limiter_.release_room(here);
  limiter_.open_room(now_ms_, here);
  limiter_.release_room(here);
  limiter_.release_room(here);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(limiter_.open_room(now_ms_, here));
  EXPECT_FALSE(limiter_.open_room(now_ms_, here));
}

// Two long lists used to keep their asker from creating and joining for ten seconds.
TEST_F(AddressLimiterTest, WhatListsCostKeepsNobodyFromOtherRequests) {
  const IpAddress here = ip("192.0.2.1");
  constexpr std::size_t kLong = 10'000'000;
  EXPECT_TRUE(limiter_.allow_list(now_ms_, here, kLong));  // from a full bucket, and paid for later
  EXPECT_FALSE(limiter_.allow_list(now_ms_, here, kLong));
  EXPECT_EQ(count_allowed(here), 40u);
  now_ms_ += 57'000;
  EXPECT_FALSE(limiter_.allow_list(now_ms_, here, 40 * 16'384));
  EXPECT_TRUE(limiter_.allow_list(now_ms_, here, 16'383)) << "what is short costs nothing";
  now_ms_ += 8'000;
  EXPECT_TRUE(limiter_.allow_list(now_ms_, here, kLong));
}

IpAddress numbered(std::uint32_t number) {
  return IpAddress::from_v4({100, static_cast<std::uint8_t>(number >> 16),
                             static_cast<std::uint8_t>(number >> 8),
                             static_cast<std::uint8_t>(number)});
}

// A table for every address of the internet would be a way to fill memory.
TEST_F(AddressLimiterTest, TheTableIsBoundedAndSweptWhenFull) {
  limiter_.open_room(now_ms_, numbered(0));
  for (std::uint32_t i = 0; i < kTracked; ++i) {
    ASSERT_TRUE(limiter_.allow_request(now_ms_, numbered(i))) << i;
  }
  EXPECT_FALSE(limiter_.allow_request(now_ms_, numbered(kTracked)));  // all are in use
  EXPECT_TRUE(limiter_.allow_request(now_ms_, numbered(7)));          // who is known goes on
  now_ms_ += 4'000;  // every bucket is full again, and says nothing any more
  EXPECT_TRUE(limiter_.allow_request(now_ms_, numbered(kTracked)));
  // The address with a room was not forgotten.
  EXPECT_TRUE(limiter_.open_room(now_ms_, numbered(0)));
  EXPECT_FALSE(limiter_.open_room(now_ms_, numbered(0)));
}

}  // namespace
}  // namespace chatd
