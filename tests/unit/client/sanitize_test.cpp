#include "client/terminal/sanitize.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/utf8.h"

namespace chatd::client {
namespace {

using namespace std::string_view_literals;

TEST(Sanitize, LeavesWhatPeopleWriteAlone) {
  for (const char* const text : {
           "",
           "hello",
           "wörld",
           "日本語",
           "a^b <x>",
           "e\u0301",  // decomposed
           "👩‍🚀 🎉",
           "👩🏽‍🚀 🏳️‍🌈",
           "❤️ ☎︎",
           "👨‍👩‍👧‍👦",
           "🇩🇪 1️⃣ #️⃣",
           "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
           "می\u200cخواهم",
           "مُ\u200cخ",
           "שָׁלוֹם",
           "Привет",  // Arabic, Hebrew, Cyrillic
           "한국어",
           "\u1112\u1161\u11ab",  // Hangul, composed and not
           "क्\u200dष क्\u200cष",
           "ไทย",
           "\u0600\u0661",  // Indic, Thai, an Arabic number sign
       }) {
    EXPECT_EQ(sanitize(text), text);
  }
}

// What an emoji or a script needs is only that where they need it.
TEST(Sanitize, ShowsWhatHidesWhereItDoesNothing) {
  EXPECT_EQ(sanitize("a\u200db"), "a<U+200D>b");
  EXPECT_EQ(sanitize("👩\u200d"), "👩<U+200D>");
  EXPECT_EQ(sanitize("👩\u200d\u200d🚀"), "👩<U+200D><U+200D>🚀");
  EXPECT_EQ(sanitize("👩\u200dx"), "👩<U+200D>x");
  EXPECT_EQ(sanitize("a\u200cb"), "a<U+200C>b");
  EXPECT_EQ(sanitize("خ\u200c"), "خ<U+200C>");
  EXPECT_EQ(sanitize("خ\u200c\u200cخ"), "خ<U+200C><U+200C>خ");
  EXPECT_EQ(sanitize("a\ufe0f"), "a<U+FE0F>");
  EXPECT_EQ(sanitize("1\ufe0f"), "1<U+FE0F>");
  EXPECT_EQ(sanitize("❤\ufe0f\ufe0f"), "❤\ufe0f<U+FE0F>");
  EXPECT_EQ(sanitize("❤\ufe00\U000e0100"), "❤<U+FE00><U+E0100>");
}

// "hi" behind a flag, behind a letter, and a flag that does not end.
TEST(Sanitize, ShowsTagsThatAreNoFlag) {
  EXPECT_EQ(sanitize("🏴\U000e0068\U000e0069\U000e007f"), "🏴<U+E0068><U+E0069><U+E007F>");
  EXPECT_EQ(sanitize("a\U000e0068\U000e0069"), "a<U+E0068><U+E0069>");
  EXPECT_EQ(sanitize("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074"),
            "🏴<U+E0067><U+E0062><U+E0073><U+E0063><U+E0074>");
}

TEST(Sanitize, ShowsControlCharacters) {
  EXPECT_EQ(sanitize("\x1b[2J\x07"), "^[[2J^G");
  EXPECT_EQ(sanitize("a\nb\r\tc\x7f"), "a^Jb^M^Ic^?");
  EXPECT_EQ(sanitize("\0"sv), "^@");
  EXPECT_EQ(sanitize("\u009b31m\u0085"), "<U+009B>31m<U+0085>");
}

TEST(Sanitize, ShowsWhatTurnsOrHidesText) {
  EXPECT_EQ(sanitize("\u202eevil\u202c"), "<U+202E>evil<U+202C>");
  EXPECT_EQ(sanitize("\u2066\u2069\u2028\u200bx\ufeff"),
            "<U+2066><U+2069><U+2028><U+200B>x<U+FEFF>");
}

// Each of them alone could be a name that nobody sees, or tell two equal names apart.
TEST(Sanitize, ShowsWhatIsInvisible) {
  EXPECT_EQ(sanitize("a\u00adb\u034f\u180e"), "a<U+00AD>b<U+034F><U+180E>");
  EXPECT_EQ(sanitize("\u115f\u1160\u17b4\u17b5"), "<U+115F><U+1160><U+17B4><U+17B5>");
  EXPECT_EQ(sanitize("\u2061\u2064\u206a\u206f"), "<U+2061><U+2064><U+206A><U+206F>");
  EXPECT_EQ(sanitize("\u3164\uffa0"), "<U+3164><U+FFA0>");
  EXPECT_EQ(sanitize("\U000e0000\U000e0001\U000e001f"), "<U+E0000><U+E0001><U+E001F>");
}

TEST(Sanitize, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(sanitize("a\x9b\xff"), "a<9B><FF>");
  EXPECT_EQ(sanitize("\xe2\x80"), "<E2><80>");
  EXPECT_EQ(sanitize("\xed\xa0\x80\xc0\x80"), "<ED><A0><80><C0><80>");
}

// Each that the issue tracker of one client or another knows, and what is only reserved.
TEST(Sanitize, ShowsEveryDefaultIgnorable) {
  for (const char* const hidden :
       {"\u00ad",     "\u034f",     "\u061c",     "\u115f",     "\u1160",     "\u17b4",
        "\u180b",     "\u180e",     "\u180f",     "\u200b",     "\u200c",     "\u200d",
        "\u2060",     "\u2065",     "\u2069",     "\u206a",     "\u3164",     "\ufe00",
        "\ufe0f",     "\ufeff",     "\uffa0",     "\ufff0",     "\ufff8",     "\ufff9",
        "\U0001bca0", "\U0001d173", "\U0001d17a", "\U000e0000", "\U000e0001", "\U000e0041",
        "\U000e007f", "\U000e0100", "\U000e01ef", "\U000e0fff"}) {
    EXPECT_EQ(sanitize(std::string("a") + hidden + "b").substr(0, 4), "a<U+") << hidden;
  }
}

// What comes out has nothing hidden in it, for each character there is.
TEST(Sanitize, HoldsForEveryCharacter) {
  for (char32_t code_point = 0; code_point < 0x11'0000; ++code_point) {
    if (code_point >= 0xd800 && code_point < 0xe000) continue;
    std::string text;
    append_utf8(text, code_point);
    const std::string shown = sanitize(text);
    if (!is_hidden(code_point)) {
      ASSERT_EQ(shown, text);
      continue;
    }
    for (const char c : shown) ASSERT_TRUE(c >= ' ' && c < '\x7f');
  }
}

TEST(SanitizeName, LeavesNamesAlone) {
  for (const char* const name :
       {"alice", "bob_2", "anna-maria", "o'neill", "a.b", "Zoë", "日本", "🎉", "👩🏽‍🚀",
        "שלום", "می\u200cخواهم", "user+1", "e\u0301"}) {
    EXPECT_EQ(sanitize_name(name), name);
  }
  EXPECT_EQ(sanitize_name("al\u200bice"), "al<U+200B>ice");
}

TEST(SanitizeName, QuotesWhatCouldBeReadAsMoreThanAName) {
  EXPECT_EQ(sanitize_name("alice: the code is 1234"), "\"alice: the code is 1234\"");
  EXPECT_EQ(sanitize_name("* bob joined"), "\"* bob joined\"");
  EXPECT_EQ(sanitize_name("a, b"), "\"a, b\"");
  EXPECT_EQ(sanitize_name("12:00"), "\"12:00\"");
  EXPECT_EQ(sanitize_name(" alice"), "\" alice\"");
  EXPECT_EQ(sanitize_name("alice\uff1a"), "\"alice\uff1a\"");
  EXPECT_EQ(sanitize_name("alice\u00a0"), "\"alice\u00a0\"");
}

// Nothing in a name ends it early, and no name looks like what another one is shown as.
TEST(SanitizeName, CannotBeImitated) {
  EXPECT_EQ(sanitize_name("a\": b"), "\"a\\\": b\"");
  EXPECT_EQ(sanitize_name("a\\"), "\"a\\\\\"");
  EXPECT_EQ(sanitize_name("\"alice\""), "\"\\\"alice\\\"\"");
  EXPECT_EQ(sanitize_name("al<U+200B>ice"), "\"al\\<U+200B>ice\"");
}

TEST(EscapeHidden, KeepsTheValueOfAJsonString) {
  EXPECT_EQ(escape_hidden("{\"m\":\"\u009b\u202e\x7f é\"}"), "{\"m\":\"\\u009b\\u202e\\u007f é\"}");
}

TEST(EscapeHidden, WritesTwoHalvesAboveTheFirst65536) {
  EXPECT_EQ(escape_hidden("\"\U000e0001\U000e001f🎉\""), "\"\\udb40\\udc01\\udb40\\udc1f🎉\"");
}

TEST(Utf8, DecodesWhatItEncodes) {
  for (const char32_t code_point :
       {0x0U, 0x7fU, 0x80U, 0x7ffU, 0x800U, 0xffffU, 0x1'0000U, 0x10'ffffU}) {
    std::string text;
    append_utf8(text, code_point);
    const Utf8Character character = decode_utf8(text);
    EXPECT_EQ(character.status, Utf8Character::Status::kValid);
    EXPECT_EQ(character.code_point, code_point);
    EXPECT_EQ(character.size_bytes, text.size());
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      EXPECT_EQ(decode_utf8(std::string_view(text).substr(0, cut)).status,
                Utf8Character::Status::kIncomplete);
    }
  }
}

}  // namespace
}  // namespace chatd::client
