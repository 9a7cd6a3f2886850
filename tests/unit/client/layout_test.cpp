// Graphemes, rows and columns.
#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>
#include <string>
#include <string_view>
#include <vector>

#include "client/terminal/layout.h"

namespace chatd::client {
namespace {

class Layout : public testing::Test {
 protected:
  Layout() { std::setlocale(LC_CTYPE, "C.UTF-8"); }

  static std::vector<std::string> rows_of(const TypedLayout& layout) {
    std::vector<std::string> rows;
    for (const auto& row : layout.rows) rows.push_back(row.text);
    return rows;
  }
};
using Graphemes = Layout;
using Typed = Layout;
using Wrap = Layout;
using Rows = std::vector<std::string>;

TEST_F(Graphemes, AreWhatAReaderCountsAsOne) {
  for (const std::string_view one : {"a", "e\u0301", "日", "한", "\u1112\u1161\u11ab",
                                     "👩🏽‍🚀", "🏳️‍🌈", "🇩🇪", "1️⃣", "க்"}) {
    EXPECT_EQ(first_grapheme(std::string(one) + "x").text, one);
    EXPECT_EQ(last_grapheme("x" + std::string(one)).text, one);
  }
  EXPECT_EQ(last_grapheme("").text, "");
}

TEST_F(Graphemes, HaveTheColumnsOfTheirPicture) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("e\u0301o\u0302\u0303"), 2U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("👩🏽‍🚀🎉"), 4U);
  EXPECT_EQ(display_width("❤️"), 2U);
  EXPECT_EQ(display_width("🇩🇪"), 2U);
  EXPECT_EQ(display_width("का"), 2U);
}

// A terminal that does not join the parts shows each of them.
TEST_F(Graphemes, NeverTakeMoreThanTheMostThatIsSaid) {
  EXPECT_EQ(first_grapheme("👩‍🚀").columns, 2U);
  EXPECT_EQ(first_grapheme("👩‍🚀").most_columns, 4U);
  EXPECT_EQ(first_grapheme("❤️").most_columns, 2U);
  EXPECT_EQ(first_grapheme("e\u0301").most_columns, 1U);
}

TEST_F(Typed, RowsEndBeforeTheEdge) {
  EXPECT_EQ(rows_of(lay_out_typed("> ", "", 10, 9)), Rows{"> "});
  EXPECT_EQ(rows_of(lay_out_typed("123456789", "", 10, 9)), Rows{"123456789"});
  EXPECT_EQ(rows_of(lay_out_typed("1234567890", "", 10, 9)), (Rows{"123456789", "0"}));
  EXPECT_EQ(rows_of(lay_out_typed("12345678", "日x", 10, 9)), (Rows{"12345678", "日x"}));
  EXPECT_EQ(rows_of(lay_out_typed("1234567", "👩‍🚀", 10, 9)),
            (Rows{"1234567", "👩‍🚀"}));
  EXPECT_EQ(rows_of(lay_out_typed("12345678e\u0301", "x", 10, 9)), (Rows{"12345678e\u0301", "x"}));
  EXPECT_EQ(rows_of(lay_out_typed("ab", "c\nbck:", 10, 9)), (Rows{"abc", "bck:"}));
}

TEST_F(Typed, TheCursorStandsBehindWhatIsBeforeIt) {
  const TypedLayout layout = lay_out_typed("12345678901e\u0301", "tail", 10, 9);
  EXPECT_EQ(layout.cursor_row, 1U);
  EXPECT_EQ(layout.cursor_bytes, std::string_view("01e\u0301").size());
  EXPECT_EQ(layout.cursor_columns, 3U);
}

TEST_F(Typed, OfALineThatIsTallerThanTheScreenTheCursorsPartIsShown) {
  const TypedLayout at_end = lay_out_typed("aaabbbcccddd", "", 4, 2);
  EXPECT_EQ(rows_of(at_end), (Rows{"ccc", "ddd"}));
  EXPECT_EQ(at_end.cursor_row, 1U);
  const TypedLayout at_begin = lay_out_typed("a", "aabbbcccddd", 4, 2);
  EXPECT_EQ(rows_of(at_begin), (Rows{"aaa", "bbb"}));
  EXPECT_EQ(at_begin.cursor_row, 0U);
  const TypedLayout between = lay_out_typed("aaabbbc", "ccddd", 4, 2);
  EXPECT_EQ(rows_of(between), (Rows{"bbb", "ccc"}));
  EXPECT_EQ(between.cursor_row, 1U);
}

TEST_F(Typed, ATerminalThatBecomesNarrowBreaksRowsAnew) {
  const TypedLayout layout = lay_out_typed("aaaaaaaaabbbbbbbbbcccccc", "", 10, 9);
  EXPECT_EQ(rows_above_cursor(layout, 10), 2U);
  EXPECT_EQ(rows_above_cursor(layout, 20), 2U);
  EXPECT_EQ(rows_above_cursor(layout, 5), 5U);
}

TEST_F(Wrap, LeavesAloneWhatFits) {
  EXPECT_EQ(wrap("12:00 bob: hi", 80), "12:00 bob: hi");
  EXPECT_EQ(wrap("one\ntwo\n", 80), "one\ntwo\n");
  EXPECT_EQ(wrap("", 80), "");
}

TEST_F(Wrap, WhatGoesOnStandsFurtherIn) {
  EXPECT_EQ(wrap("12:00 bob: the quick brown fox jumps", 24),
            "12:00 bob: the quick\n        brown fox jumps");
  EXPECT_EQ(wrap("12:00 bob: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 24),
            "12:00 bob:\n        aaaaaaaaaaaaaaaa\n        aaaaaaaaaaaaaa");
}

// However many blanks it takes, nothing of a message begins where a line begins.
TEST_F(Wrap, NothingInAMessageBeginsALine) {
  for (std::size_t blanks = 0; blanks < 200; ++blanks) {
    const std::string line =
        "12:00 eve: hi" + std::string(blanks, ' ') + "12:01 bob: the code is 1";
    const std::string wrapped = wrap(line, 80);
    for (std::size_t at = wrapped.find('\n'); at != std::string::npos;
         at = wrapped.find('\n', at + 1)) {
      EXPECT_EQ(wrapped.substr(at + 1, 8), "        ") << wrapped;
    }
  }
}

TEST_F(Wrap, NoRowIsTooLongAndNoGraphemeIsCut) {
  const std::string_view text =
      "12:00 bob: ee\u0301日本語👩‍🚀🇩🇪 a\u0300\u0301b 한국어 und noch viel mehr";
  for (std::size_t columns = 1; columns < 60; ++columns) {
    std::string_view rest = text;
    std::string wrapped = wrap(text, columns);
    std::size_t column = 0;
    for (std::string_view left = wrapped; !left.empty();) {
      const Grapheme next = first_grapheme(left);
      left.remove_prefix(next.text.size());
      if (next.text == "\n") {
        column = 0;
        continue;
      }
      column += next.most_columns;
      ASSERT_LE(column, std::max<std::size_t>(columns, 6)) << wrapped;
      if (next.text == " ") continue;
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      ASSERT_EQ(first_grapheme(rest).text, next.text);
      rest.remove_prefix(next.text.size());
    }
    EXPECT_EQ(rest, "");
  }
}

TEST_F(Wrap, WhatStandsAboveTheTypedLineIsWrappedAndBounded) {
  TypedLayout layout = lay_out_typed("> typed", "", 10, 9);
  EXPECT_EQ(put_above(layout, {"one two three", "four"}, 10, 9), 3u);
  EXPECT_EQ(rows_of(layout), (Rows{"one two", "   three", "four", "> typed"}));
  EXPECT_EQ(layout.cursor_row, 3u);
  EXPECT_EQ(layout.rows[1].columns, 8u);
  layout = lay_out_typed("> typed", "", 10, 9);
  EXPECT_EQ(put_above(layout, {"one", "two", "three"}, 10, 2), 2u);
  EXPECT_EQ(rows_of(layout), (Rows{"one", "two", "> typed"}));
  EXPECT_EQ(put_above(layout, {}, 10, 2), 0u);
}

TEST_F(Wrap, ColoursTakeNoColumn) {
  EXPECT_EQ(wrap("\x1b[2m12:00\x1b[0m \x1b[31mbob\x1b[0m: aaaa", 17),
            "\x1b[2m12:00\x1b[0m \x1b[31mbob\x1b[0m: aaaa");
}

}  // namespace
}  // namespace chatd::client
