// What the adaptor adds to libvterm: text out of cells, rows that are gone, joined emoji, and what
// no terminal should be told.
#include "tests/e2e/chat/screen.h"

#include <gtest/gtest.h>

namespace chatd::test {
namespace {

class TestScreen : public testing::Test {
 protected:
  Screen screen_{10, 3};
};

TEST_F(TestScreen, RowsAreTextWithoutTheBlanksAtTheirEnds) {
  screen_.feed("ab cd \x1b[31mef\x1b[0m\x1b[3D\r\n  x  ");
  EXPECT_EQ(screen_.text(), "ab cd ef\n  x\n");
  EXPECT_EQ(screen_.cursor_row(), "  x");
  EXPECT_EQ(screen_.cursor_column(), 5U);
  EXPECT_TRUE(screen_.unknown().empty());
  EXPECT_FALSE(screen_.bell());
}

TEST_F(TestScreen, KeepsWhatIsScrolledOff) {
  screen_.feed("1\r\n2\r\n3\r\n4");
  EXPECT_EQ(screen_.text(), "1\n2\n3\n4\n");
  screen_.feed("\x1b[9A\rX");  // the top of what is visible
  EXPECT_EQ(screen_.text(), "1\nX\n3\n4\n");
  EXPECT_EQ(screen_.rows().size(), 4U);
}

TEST_F(TestScreen, WideCharactersTakeTwoColumns) {
  screen_.feed("日本語日本語");
  EXPECT_EQ(screen_.text(), "日本語日本\n語\n");
  EXPECT_EQ(screen_.cursor_column(), 2U);
}

TEST_F(TestScreen, EmojiOfSeveralPartsAreOnePictureOrSeveral) {
  screen_.feed("👩‍🚀x");
  EXPECT_EQ(screen_.text(), "👩🚀x\n");
  screen_.join_emoji();
  for (const char byte : std::string_view("\r\n👩‍🚀e\u0301x")) screen_.feed({&byte, 1});
  EXPECT_EQ(screen_.cursor_row(), "👩ex");
  EXPECT_EQ(screen_.cursor_column(), 4U);
}

TEST_F(TestScreen, NotesWhatNoTerminalShouldBeTold) {
  const auto is_noted = [](std::string_view bytes) {
    Screen screen(10, 3);
    screen.feed(bytes);
    return !screen.unknown().empty();
  };
  EXPECT_TRUE(is_noted("\x1b]0;title\a"));
  EXPECT_TRUE(is_noted("\x1b]52;c;aGk=\a"));  // the clipboard
  EXPECT_TRUE(is_noted("\x1b[?1000h"));       // the mouse
  EXPECT_TRUE(is_noted("\x1b[6n"));           // where is the cursor?
  EXPECT_TRUE(is_noted("\x1bP1$r\x1b\\"));
  EXPECT_TRUE(is_noted("\x1b[1v"));
  EXPECT_TRUE(is_noted("\x01"));
  EXPECT_TRUE(is_noted("\xff"));
  screen_.feed("\a");
  EXPECT_TRUE(screen_.bell());
}

}  // namespace
}  // namespace chatd::test
