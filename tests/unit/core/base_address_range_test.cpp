#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/address_range.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

AddressRange range(std::string_view text) {
  const auto parsed = AddressRange::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error());
  return parsed.value_or(AddressRange());
}

std::string fault(std::string_view text) {
  const auto parsed = AddressRange::parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error();
}

TEST(AddressRanges, HaveTheirAddressesAndNoOthers) {
  const AddressRange v4 = range("203.0.113.64/26");
  EXPECT_TRUE(v4.contains(ip("203.0.113.64")));
  EXPECT_TRUE(v4.contains(ip("203.0.113.127")));
  EXPECT_FALSE(v4.contains(ip("203.0.113.63")));
  EXPECT_FALSE(v4.contains(ip("203.0.113.128")));
  EXPECT_TRUE(v4.contains(ip("::ffff:203.0.113.65"))) << "it is the same address";

  const AddressRange v6 = range("2001:db8:8000::/33");
  EXPECT_TRUE(v6.contains(ip("2001:db8:8000::")));
  EXPECT_TRUE(v6.contains(ip("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(v6.contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(v6.contains(ip("2001:db9:8000::")));
}

TEST(AddressRanges, AreOneAddressWithoutAPrefix) {
  const AddressRange alone = range("203.0.113.7");
  EXPECT_TRUE(alone.is_one_address());
  EXPECT_EQ(alone, range("203.0.113.7/32"));
  EXPECT_EQ(alone, range("::ffff:203.0.113.7/128"));
  EXPECT_EQ(alone.prefix(), 32u);
  EXPECT_TRUE(alone.contains(ip("203.0.113.7")));
  EXPECT_FALSE(alone.contains(ip("203.0.113.6")));
  EXPECT_EQ(range("2001:db8::1").prefix(), 128u);
}

TEST(AddressRanges, WhatFollowsThePrefixDoesNotCount) {
  EXPECT_EQ(range("203.0.113.99/24"), range("203.0.113.0/24"));
  EXPECT_EQ(range("203.0.113.0/24").prefix(), 24u);
  EXPECT_EQ(range("::ffff:203.0.113.0/120"), range("203.0.113.0/24"));
  EXPECT_EQ(range("2001:db8::77/64"), range("2001:db8::/64"));
}

TEST(AddressRanges, AreNotTakenTooWide) {
  EXPECT_EQ(range("10.0.0.0/8").prefix(), 8u);
  EXPECT_EQ(range("2001::/16").prefix(), 16u);
  for (const char* text : {"10.0.0.0/7", "0.0.0.0/0", "2001::/15", "::/0", "::ffff:10.0.0.0/103",
                           "::ffff:10.0.0.0/96", "::ffff:10.0.0.0/16"}) {
    EXPECT_TRUE(fault(text).starts_with("the prefix is too short")) << text;
  }
  EXPECT_TRUE(fault("10.0.0.0/7").ends_with("write /8 or longer"));
  EXPECT_TRUE(fault("::/0").ends_with("write /16 or longer"));
  EXPECT_TRUE(fault("::ffff:10.0.0.0/9").ends_with("write /104 or longer"));
}

TEST(AddressRanges, FamiliesAreApart) {
  EXPECT_FALSE(range("::/16").contains(ip("203.0.113.7")));
  EXPECT_FALSE(range("::/80").contains(ip("203.0.113.7")));
  EXPECT_TRUE(range("::/80").contains(ip("::7")));
}

TEST(AddressRanges, HaveLoopbackOnlyByItsName) {
  EXPECT_FALSE(range("::/16").contains(ip("::1")));
  EXPECT_FALSE(range("::/127").contains(ip("::1")));
  EXPECT_TRUE(range("::1").contains(ip("::1")));
  EXPECT_TRUE(range("127.0.0.1").contains(ip("127.0.0.1")));
  EXPECT_FALSE(range("127.0.0.1").contains(ip("127.0.0.2")));
  EXPECT_TRUE(range("127.0.0.0/8").contains(ip("127.9.9.9")));
}

TEST(AddressRanges, SayWhatIsWrong) {
  for (const char* text : {"", "/", "/24", "mallory", "203.0.113", "203.0.113.256", "1.2.3.4 ",
                           "fe80::1%eth0", "[::1]"}) {
    EXPECT_TRUE(fault(text).starts_with("this is no address")) << text;
  }
  for (const char* text : {"203.0.113.0/", "203.0.113.0/33", "203.0.113.0/-1", "203.0.113.0/24/24",
                           "203.0.113.0/ 24", "203.0.113.0/99999999999"}) {
    EXPECT_EQ(fault(text), "the prefix is not a number up to 32") << text;
  }
  EXPECT_EQ(fault("2001:db8::/129"), "the prefix is not a number up to 128");
}

}  // namespace
}  // namespace chatd
