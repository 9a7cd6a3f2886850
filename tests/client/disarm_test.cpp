#include "client/chat/disarm.h"

#include <gtest/gtest.h>

#include <string>

#include "client/chat/utf8.h"

namespace chatd::client {
namespace {

using namespace std::string_view_literals;

TEST(Disarm, LeavesWhatPeopleWriteAlone) {
  for (const char* const text : {"", "hello", "wörld", "日本語", "👩‍🚀 🎉",
                                 "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
                                 "می\u200cخواهم", "עברית", "a^b <x>"}) {
    EXPECT_EQ(disarm(text), text);
  }
}

TEST(Disarm, ShowsControlCharacters) {
  EXPECT_EQ(disarm("\x1b[2J\x07"), "^[[2J^G");
  EXPECT_EQ(disarm("a\nb\r\tc\x7f"), "a^Jb^M^Ic^?");
  EXPECT_EQ(disarm("\0"sv), "^@");
  EXPECT_EQ(disarm("\u009b31m\u0085"), "<U+009B>31m<U+0085>");
}

TEST(Disarm, ShowsWhatTurnsOrHidesText) {
  EXPECT_EQ(disarm("\u202eevil\u202c"), "<U+202E>evil<U+202C>");
  EXPECT_EQ(disarm("\u2066\u2069\u2028\u200bx\ufeff"), "<U+2066><U+2069><U+2028><U+200B>x<U+FEFF>");
}

// Each of them alone could be a name that nobody sees, or tell two equal names apart.
TEST(Disarm, ShowsWhatIsInvisible) {
  EXPECT_EQ(disarm("a\u00adb\u034f\u180e"), "a<U+00AD>b<U+034F><U+180E>");
  EXPECT_EQ(disarm("\u115f\u1160\u17b4\u17b5"), "<U+115F><U+1160><U+17B4><U+17B5>");
  EXPECT_EQ(disarm("\u2061\u2064\u206a\u206f"), "<U+2061><U+2064><U+206A><U+206F>");
  EXPECT_EQ(disarm("\u3164\uffa0"), "<U+3164><U+FFA0>");
  EXPECT_EQ(disarm("\U000e0000\U000e0001\U000e001f"), "<U+E0000><U+E0001><U+E001F>");
}

TEST(Disarm, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(disarm("a\x9b\xff"), "a<9B><FF>");
  EXPECT_EQ(disarm("\xe2\x80"), "<E2><80>");
  EXPECT_EQ(disarm("\xed\xa0\x80\xc0\x80"), "<ED><A0><80><C0><80>");
}

// What comes out has nothing dangerous in it, for each character there is.
TEST(Disarm, HoldsForEveryCharacter) {
  for (char32_t code_point = 0; code_point < 0x11'0000; ++code_point) {
    if (code_point >= 0xd800 && code_point < 0xe000) continue;
    std::string text;
    append_utf8(text, code_point);
    const std::string shown = disarm(text);
    if (!is_dangerous(code_point)) {
      ASSERT_EQ(shown, text);
      continue;
    }
    for (const char c : shown) ASSERT_TRUE(c >= ' ' && c < '\x7f');
  }
}

TEST(EscapeDangerous, KeepsTheValueOfAJsonString) {
  EXPECT_EQ(escape_dangerous("{\"m\":\"\u009b\u202e\x7f é\"}"),
            "{\"m\":\"\\u009b\\u202e\\u007f é\"}");
}

TEST(EscapeDangerous, WritesTwoHalvesAboveTheFirst65536) {
  EXPECT_EQ(escape_dangerous("\"\U000e0001\U000e001f🎉\""), "\"\\udb40\\udc01\\udb40\\udc1f🎉\"");
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
