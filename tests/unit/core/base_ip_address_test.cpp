// IP addresses: every text form of RFC 4291, canonical IPv4, and what an address is good for.
#include "core/base/ip_address.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace chatd {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes bytes_of(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(IpAddress{}).bytes();
}

bool is_refused(std::string_view text) {
  return !IpAddress::parse(text).has_value();
}

IpAddress parse(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(IpAddress, ReadsDottedDecimal) {
  EXPECT_EQ(parse("1.2.3.4"), IpAddress::from_v4({1, 2, 3, 4}));
  EXPECT_EQ(parse("0.0.0.0"), IpAddress::from_v4({0, 0, 0, 0}));
  EXPECT_EQ(parse("255.255.255.255"), IpAddress::from_v4({255, 255, 255, 255}));
  EXPECT_EQ(parse("10.0.20.100").v4_bytes(), (std::array<std::uint8_t, 4>{10, 0, 20, 100}));
}

TEST(IpAddress, RefusesWhatIsNotDottedDecimal) {
  for (const std::string_view text :
       {"",           ".",         "1",         "1.2",       "1.2.3",     "1.2.3.",
        ".1.2.3",     "1..2.3",    "1.2.3.4.",  "1.2.3.4.5", "256.1.1.1", "1.1.1.256",
        "1.1.1.1000", "1.2.3.a",   "a.b.c.d",   " 1.2.3.4",  "1.2.3.4 ",  "1.2.3.+4",
        "1.2.3.-4",   "0x1.2.3.4", "localhost", "127.1",     "1.2.3.4/8", "1.2.3.4%eth0"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(IpAddress, RefusesLeadingZeros) {
  for (const std::string_view text : {"010.0.0.1", "1.2.3.04", "00.0.0.0", "1.2.3.000"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_TRUE(is_refused("::ffff:1.2.3.04"));
}

TEST(IpAddress, ReadsFullIpv6) {
  const Bytes expected = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0xab, 0xcd, 0xff, 0xff};
  EXPECT_EQ(bytes_of("2001:0db8:0001:0002:0003:0004:abcd:ffff"), expected);
  EXPECT_EQ(bytes_of("2001:db8:1:2:3:4:abcd:ffff"), expected);
  EXPECT_EQ(bytes_of("2001:DB8:1:2:3:4:ABcd:FfFf"), expected);
}

TEST(IpAddress, ReadsAGapAnywhere) {
  EXPECT_EQ(bytes_of("::"), Bytes{});
  EXPECT_EQ(bytes_of("::1"), (Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(bytes_of("1::"), (Bytes{0, 1}));
  EXPECT_EQ(bytes_of("1::2"), (Bytes{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(bytes_of("1:2:3:4:5:6:7::"), bytes_of("1:2:3:4:5:6:7:0"));
  EXPECT_EQ(bytes_of("::2:3:4:5:6:7:8"), bytes_of("0:2:3:4:5:6:7:8"));
  EXPECT_EQ(bytes_of("1:2:3::5:6:7:8"), bytes_of("1:2:3:0:5:6:7:8"));
}

TEST(IpAddress, ReadsATrailingIpv4) {
  EXPECT_EQ(bytes_of("64:ff9b::192.0.2.33"), bytes_of("64:ff9b::c000:221"));
  EXPECT_EQ(bytes_of("1:2:3:4:5:6:1.2.3.4"), bytes_of("1:2:3:4:5:6:102:304"));
  EXPECT_EQ(bytes_of("::1.2.3.4"), bytes_of("::102:304"));
  EXPECT_EQ(bytes_of("1:2:3:4:5::1.2.3.4"), bytes_of("1:2:3:4:5:0:102:304"));
}

TEST(IpAddress, RefusesWhatIsNotIpv6) {
  for (const std::string_view text : {":",
                                      ":::",
                                      "1:",
                                      ":1",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8:",
                                      "1::2::3",
                                      "1:::2",
                                      "::1:",
                                      ":::1",
                                      "1:2:3:4:5:6:7::8",
                                      "1:2:3:4::5:6:7:8",
                                      "12345::",
                                      "g::",
                                      "::g",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      "::1 ",
                                      " ::1",
                                      "1.2.3.4::",
                                      "1.2.3.4:1::",
                                      "::1.2.3.4:1",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "::1.2.3.256",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1:2:3:4:5:6:7:8:1.2.3.4",
                                      "1:2:3:4:5:6::1.2.3.4:",
                                      "1:2:3:4:5:6:7::1.2.3.4",
                                      "::ffff:0x1.2.3.4"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(IpAddress, MappedIpv4IsIpv4) {
  EXPECT_EQ(parse("::ffff:1.2.3.4"), parse("1.2.3.4"));
  EXPECT_EQ(parse("::FFFF:102:304"), parse("1.2.3.4"));
  EXPECT_TRUE(parse("::ffff:1.2.3.4").is_v4());
  // IPv4-compatible addresses are another thing, and long deprecated.
  EXPECT_NE(parse("::1.2.3.4"), parse("1.2.3.4"));
  EXPECT_FALSE(parse("::1.2.3.4").is_v4());
  EXPECT_FALSE(parse("::1:ffff:1.2.3.4").is_v4());
}

TEST(IpAddress, KnowsLinkLocal) {
  for (const char* text : {"fe80::", "fe80::1", "febf:ffff::1"}) {
    EXPECT_TRUE(parse(text).is_link_local()) << text;
  }
  for (const char* text : {"fe7f::1", "fec0::1", "ff02::1", "::1", "169.254.0.1", "127.0.0.1"}) {
    EXPECT_FALSE(parse(text).is_link_local()) << text;
  }
}

TEST(IpAddress, KnowsLoopback) {
  for (const std::string_view text : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(parse(text).is_loopback()) << text;
  }
  for (const std::string_view text : {"126.0.0.1", "128.0.0.1", "::", "::2", "1::1", "0.0.0.1"}) {
    EXPECT_FALSE(parse(text).is_loopback()) << text;
  }
}

TEST(IpAddress, KnowsWhereNoSingleHostIs) {
  for (const std::string_view text : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(parse(text).is_unspecified()) << text;
    EXPECT_FALSE(parse(text).is_unicast()) << text;
  }
  for (const std::string_view text :
       {"224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "::ffff:224.0.0.1"}) {
    EXPECT_TRUE(parse(text).is_multicast()) << text;
    EXPECT_FALSE(parse(text).is_unicast()) << text;
  }
  for (const std::string_view text : {"255.255.255.255", "::ffff:255.255.255.255"}) {
    EXPECT_TRUE(parse(text).is_broadcast()) << text;
    EXPECT_FALSE(parse(text).is_unicast()) << text;
  }
}

TEST(IpAddress, KnowsWhereOneHostIs) {
  for (const std::string_view text : {"1.2.3.4", "127.0.0.1", "223.255.255.255", "240.0.0.1",
                                      "255.255.255.254", "::1", "fe80::1", "2001:db8::ff"}) {
    EXPECT_TRUE(parse(text).is_unicast()) << text;
    EXPECT_FALSE(parse(text).is_unspecified()) << text;
    EXPECT_FALSE(parse(text).is_multicast()) << text;
    EXPECT_FALSE(parse(text).is_broadcast()) << text;
  }
}

TEST(IpAddress, StartsUnspecified) {
  EXPECT_EQ(IpAddress{}, parse("::"));
  EXPECT_TRUE(IpAddress{}.is_unspecified());
  // Both are unspecified, and yet not the same.
  EXPECT_NE(IpAddress{}, parse("0.0.0.0"));
}

TEST(IpAddress, TakesItsBytesAsTheyAre) {
  const Bytes bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(IpAddress::from_v6(bytes).bytes(), bytes);
  EXPECT_EQ(IpAddress::from_v6(bytes_of("::ffff:1.2.3.4")), IpAddress::from_v4({1, 2, 3, 4}));
}

}  // namespace
}  // namespace chatd
