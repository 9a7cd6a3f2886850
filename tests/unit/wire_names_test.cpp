// What may be a name: length in bytes, UTF-8, and no control character of any kind.
#include "core/wire/names.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace chatd {
namespace {

TEST(Names, AreOneToTwoHundredAndFiftyFiveBytes) {
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_TRUE(is_valid_name("a"));
  EXPECT_TRUE(is_valid_name(std::string(255, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(256, 'a')));
  // Bytes, not characters: 85 of these are 255 bytes.
  std::string euros;
  for (int i = 0; i < 85; ++i) euros += "\u20ac";
  EXPECT_TRUE(is_valid_name(euros));
  EXPECT_FALSE(is_valid_name(euros + "a"));
}

TEST(Names, MayBeOfAnyScript) {
  for (const std::string_view name :
       {"alice", "Zo\u00eb", "\u6771\u4eac", "\u05d0\u05d1", "\U0001f600", "a b", " ", "\"quoted\"",
        "back\\slash", "a/b", "\u00a0", "\u2028"}) {
    EXPECT_TRUE(is_valid_name(name)) << name;
  }
}

TEST(Names, HaveNoAsciiControlCharacters) {
  for (unsigned byte = 0; byte < 0x80; ++byte) {
    const std::string name = {'a', static_cast<char>(byte), 'b'};
    EXPECT_EQ(is_valid_name(name), byte >= 0x20 && byte != 0x7f) << byte;
  }
}

TEST(Names, HaveNoC1ControlCharacters) {
  for (unsigned low = 0x80; low < 0xc0; ++low) {
    const std::string name = {'\xc2', static_cast<char>(low)};
    EXPECT_EQ(is_valid_name(name), low >= 0xa0) << low;
  }
  // The same low byte under another lead is a letter.
  EXPECT_TRUE(is_valid_name("\u0105"));  // c4 85
  EXPECT_TRUE(is_valid_name("\u00c2"));  // c3 82
}

TEST(Names, AreValidUtf8) {
  using namespace std::string_view_literals;
  for (const std::string_view name :
       {"\x80"sv, "\xff"sv, "a\xc3"sv, "\xc0\xaf"sv /* overlong */,
        "\xed\xa0\x80"sv /* surrogate */, "\xf4\x90\x80\x80"sv /* above U+10FFFF */, "\xe2\x82"sv,
        "\xc3\x28"sv}) {
    EXPECT_FALSE(is_valid_name(name));
  }
}

TEST(Names, OfTheServerItselfAreReserved) {
  EXPECT_TRUE(is_reserved_username("system"));
  EXPECT_TRUE(is_reserved_username("Server"));
  for (const std::string_view name : {"System", "server", "SERVER", "system ", "", "alice"}) {
    EXPECT_FALSE(is_reserved_username(name)) << name;
  }
}

}  // namespace
}  // namespace chatd
