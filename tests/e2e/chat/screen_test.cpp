// The judge is judged first: a model that shows the wrong picture would pass anything.
#include "tests/e2e/chat/screen.h"

#include <gtest/gtest.h>

#include <clocale>

namespace chatd::test {
namespace {

class ScreenModel : public testing::Test {
 protected:
  ScreenModel() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
  Screen screen_{10, 3};
};

TEST_F(ScreenModel, WritesAndWraps) {
  screen_.feed("hello\r\n1234567890");
  EXPECT_EQ(screen_.text(), "hello\n1234567890\n");
  EXPECT_EQ(screen_.cursor_row(), "1234567890");  // the wrap waits for one more character
  screen_.feed("x");
  EXPECT_EQ(screen_.cursor_row(), "x");
}

TEST_F(ScreenModel, ScrollsAndKeepsWhatIsGone) {
  screen_.feed("1\r\n2\r\n3\r\n4");
  EXPECT_EQ(screen_.text(), "1\n2\n3\n4\n");
  screen_.feed("\x1b[9A\rX");  // the top of what is visible
  EXPECT_EQ(screen_.text(), "1\nX\n3\n4\n");
}

TEST_F(ScreenModel, MovesAndErases) {
  screen_.feed("abcdef\r\x1b[2C\x1b[K");
  EXPECT_EQ(screen_.text(), "ab\n");
  screen_.feed("cd\r\n2\r\n3\x1b[A\r\x1b[J");
  EXPECT_EQ(screen_.text(), "abcd\n");
  screen_.feed("\x1b[A\r\x1b[2P\x1b[@x\b\b\x1b[5G!");
  EXPECT_EQ(screen_.text(), "xcd !\n");
}

TEST_F(ScreenModel, WideCharactersTakeTwoColumns) {
  screen_.feed("日本語日本語");
  EXPECT_EQ(screen_.text(), "日本語日本\n語\n");
  EXPECT_EQ(screen_.cursor_column(), 2U);
}

TEST_F(ScreenModel, EmojiOfSeveralPartsAreOnePictureOrSeveral) {
  screen_.feed("👩‍🚀x");
  EXPECT_EQ(screen_.text(), "👩🚀x\n");
  screen_.join_emoji();
  screen_.feed("\r\n👩‍🚀e\u0301x");
  EXPECT_EQ(screen_.cursor_row(), "👩ex");
  EXPECT_EQ(screen_.cursor_column(), 4U);
}

TEST_F(ScreenModel, RemembersAPlace) {
  screen_.feed(
      "1\r\n2\x1b"
      "7\r\n3\x1b"
      "8x");
  EXPECT_EQ(screen_.text(), "1\n2x\n3\n");
}

TEST_F(ScreenModel, SequencesMayArriveInPieces) {
  for (const char byte : std::string_view("\xe6\x97\xa5\x1b[31mx\x1b[0m")) {
    screen_.feed({&byte, 1});
  }
  EXPECT_EQ(screen_.text(), "日x\n");
  EXPECT_TRUE(screen_.unknown().empty());
}

TEST_F(ScreenModel, NotesWhatItDoesNotKnow) {
  screen_.feed("\x1b[2J\x1b]0;x\a\x01");
  EXPECT_EQ(screen_.unknown().size(), 3U);
  EXPECT_TRUE(screen_.bell());
}

}  // namespace
}  // namespace chatd::test
