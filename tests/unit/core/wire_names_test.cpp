// What may be a name: length in bytes, UTF-8, no control character of any kind and something to
// see; and which names look alike.
#include "core/base/names.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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
       {"alice", "Zo\u00eb", "\u6771\u4eac", "\u05d0\u05d1", "\U0001f600", "a b", " a",
        "\"quoted\"", "back\\slash", "a/b", "a\u00a0", "a\u2028", "\u1100\u1161", "\u0301"}) {
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
    const std::string name = {'a', '\xc2', static_cast<char>(low)};
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

// Blanks, and characters that are default-ignorable, assigned or only reserved to be so.
TEST(Names, HaveSomethingToSee) {
  for (const std::string_view name :
       {" ", "   ", "\u00a0", "\u2003\u3000", "\u2028", "\u200b", "\u00ad", "\u3164", "\u115f",
        "\ufe0f", "\u2065", "\ufff0", "\U000e0041", "\U000e0fff", " \u200d "}) {
    EXPECT_FALSE(is_valid_name(name)) << name;
    EXPECT_EQ(folded_name(name), "") << name;
  }
}

struct Alike {
  std::string_view a;
  std::string_view b;
};

TEST(Names, ThatPeopleCannotTellApartFoldToTheSame) {
  for (const auto& [a, b] : std::vector<Alike>{
           {"alice", "Alice"},
           {"alice", "ALICE"},
           {"alice", "alice "},
           {"alice", " alice"},
           {"alice", "\u2003alice\u00a0"},
           {"alice b", "alice  b"},
           {"alice b", "alice\u3000b"},
           {"alice", "al\u200bice"},
           {"alice", "alice\u2060"},
           {"alice", "a\u00adlice"},
           {"alice", "alice\ufe0f"},
           {"alice", "alice\u180b"},
           {"alice", "alice\u2065"},
           {"alice", "alice\ufff8"},
           {"alice", "alice\U0001d173"},
           {"alice", "alice\U000e0061"},
           {"alice", "alice\U000e01f0"},
           {"alice", "\u202ealice\u2069"},
           {"alice", "\uff41lice"},
           {"alice", "\U0001d41alice"},  // mathematical bold a
           {"\u00e9", "e\u0301"},
           {"\u00e9", "\u00c9"},
           {"stra\u00dfe", "STRASSE"},
           {"\u03c3", "\u03c2"},        // two forms of sigma
           {"\u0438\u0306", "\u0439"},  // Cyrillic short i
           {"\uac00", "\u1100\u1161"},  // Hangul
           {"\uff8a\uff9f", "\u30d1"},  // half-width katakana
           {"\u1fb3\u0301", "\u1fb4"},  // ypogegrammeni, decomposed in part
           {"\u0627\u0654", "\u0623"},  // Arabic
           {"\U0001f469\u200d\U0001f680", "\U0001f469\U0001f680"},
       }) {
    EXPECT_EQ(folded_name(a), folded_name(b)) << a << " " << b;
    EXPECT_NE(folded_name(a), "");
  }
}

TEST(Names, ThatAreOthersFoldToOthers) {
  for (const auto& [a, b] : std::vector<Alike>{{"alice", "alicia"},
                                               {"a b", "ab"},
                                               {"a", "\u00e1"},
                                               {"\u05d0", "\u05d1"},
                                               {"\U0001f469", "\U0001f468"},
                                               {"\uac00", "\uac01"}}) {
    EXPECT_NE(folded_name(a), folded_name(b)) << a << " " << b;
  }
}

// 18 characters become of one, the most that there is, and nothing is lost at the edges.
TEST(Names, MayGrowWhenTheyAreFolded) {
  std::string name;
  for (int i = 0; i < 85; ++i) name += "\ufdfa";
  const std::string once = folded_name("\ufdfa");
  EXPECT_EQ(once.size(), 33U);
  EXPECT_EQ(folded_name(name).size(), 85 * once.size());
}

TEST(Names, FoldedOnceAreFolded) {
  for (const std::string_view name :
       {"Alice  B ", "\uff21", "\u1e9e", "\u0130", "\u1fb4", "\ufdfa", "\u0345\u0301", "\u00b4"}) {
    EXPECT_EQ(folded_name(folded_name(name)), folded_name(name)) << name;
  }
}

TEST(Names, OfTheServerItselfAreReserved) {
  for (const std::string_view name : {"system", "Server", "System", "server", "SERVER", "system ",
                                      " Server", "sys\u200btem", "\uff33erver", "sy\u017ftem"}) {
    EXPECT_TRUE(is_reserved_username(name)) << name;
  }
  for (const std::string_view name : {"systems", "the server", "", "alice"}) {
    EXPECT_FALSE(is_reserved_username(name)) << name;
  }
}

}  // namespace
}  // namespace chatd
