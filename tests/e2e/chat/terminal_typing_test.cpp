// The line being typed in `chat`, and what arrives meanwhile.
#include <string>

#include "tests/e2e/chat/terminal_kit.h"

namespace chatd::test {
namespace {

// All that is on the screen, without blanks and line ends.
std::string without_blanks(const Screen& screen) {
  std::string text;
  for (const std::string& row : screen.rows()) text += row;
  std::erase(text, ' ');
  return text;
}

TEST_F(ChatTerminal, AnIncomingLineDoesNotTearTheTypedOne) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("half-typed");
  ASSERT_TRUE(alice.shows_typed("alice> half-typed"));
  bob_->say("one");
  bob_->say("two");
  EXPECT_TRUE(alice.shows(" bob: one\n")) << alice.screen().text();
  EXPECT_TRUE(alice.shows(" bob: two\nalice> half-typed\n")) << alice.screen().text();
  EXPECT_TRUE(alice.shows_typed("alice> half-typed"));
  EXPECT_EQ(alice.screen().cursor_column(), 17U);
  alice.type_line(" and done");
  EXPECT_TRUE(bob_->hears(said("alice", "half-typed and done")));
  EXPECT_TRUE(alice.shows(" bob: two\n"));
  EXPECT_TRUE(alice.shows(" alice: half-typed and done\nalice>\n")) << alice.screen().text();
  EXPECT_EQ(alice.screen().unknown(), std::vector<std::string>{});
}

TEST_F(ChatTerminal, NorOneThatWrapsOverSeveralRows) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  std::string typed;
  for (int i = 0; i < 30; ++i) typed += "日本語 " + std::to_string(i) + " ";
  typed += "end";
  alice.type(typed);
  std::string wanted = "alice>" + typed;
  std::erase(wanted, ' ');
  const auto typed_once_at_the_end = [&](const Screen& screen) {
    const std::string text = without_blanks(screen);
    return text.ends_with(wanted) && text.find("alice>") == text.rfind("alice>");
  };
  ASSERT_TRUE(alice.shows(typed_once_at_the_end)) << alice.screen().text();
  for (const char* const text : {"one", "two", "three"}) bob_->say(text);
  EXPECT_TRUE(alice.shows(" bob: three\n"));
  EXPECT_TRUE(alice.shows(typed_once_at_the_end)) << alice.screen().text();
  EXPECT_TRUE(alice.shows(" bob: one\n"));
  EXPECT_TRUE(alice.shows(" bob: two\n"));

  // With the cursor in the middle of it, too.
  alice.type("\x01");
  ASSERT_TRUE(alice.shows([](const Screen& screen) { return screen.cursor_column() == 7; }));
  bob_->say("four");
  EXPECT_TRUE(alice.shows(" bob: four\nalice> "));
  EXPECT_TRUE(alice.shows(typed_once_at_the_end)) << alice.screen().text();

  alice.type_line("");
  EXPECT_TRUE(bob_->hears(said("alice", typed)));
  EXPECT_TRUE(alice.shows_typed("alice>"));
  EXPECT_EQ(alice.screen().text().find("alice> "), std::string::npos) << alice.screen().text();
}

TEST_F(ChatTerminal, TheCursorStandsBehindCombiningMarks) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("e\u0301e\u0301\u0323x");
  ASSERT_TRUE(alice.shows_typed("alice> eex"));
  EXPECT_EQ(alice.screen().cursor_column(), 10U);
  bob_->say("hi");
  EXPECT_TRUE(alice.shows(" bob: hi\nalice> eex\n")) << alice.screen().text();
  EXPECT_EQ(alice.screen().cursor_column(), 10U);
  // A key goes over a letter with all its marks.
  alice.type("\x1b[D\x1b[D");
  ASSERT_TRUE(alice.shows([](const Screen& screen) { return screen.cursor_column() == 8; }));
  alice.type("\x7f!");
  ASSERT_TRUE(
      alice.shows([](const Screen& screen) { return screen.cursor_row() == "alice> !ex"; }));
  alice.type_line("");
  EXPECT_TRUE(bob_->hears(said("alice", "!e\u0301\u0323x")));
}

// Whether the terminal shows a woman and a rocket or an astronaut.
TEST_F(ChatTerminal, EmojiOfSeveralPartsWipeNothing) {
  for (const bool joins : {false, true}) {
    TerminalChat alice(server_, join());
    if (joins) alice.screen().join_emoji();
    ASSERT_TRUE(at_prompt(alice));
    bob_->say("earlier");
    ASSERT_TRUE(alice.shows(" bob: earlier\nalice>"));
    std::string typed;
    for (int i = 0; i < 70; ++i) typed += "👩‍🚀";
    alice.type(typed);
    const std::string shown_once = joins ? "👩" : "👩🚀";
    std::string shown;
    for (int i = 0; i < 70; ++i) shown += shown_once;
    const auto typed_at_the_end = [&](const Screen& screen) {
      return without_blanks(screen).ends_with("alice>" + shown);
    };
    ASSERT_TRUE(alice.shows(typed_at_the_end)) << alice.screen().text();
    bob_->say("one");
    bob_->say("two");
    ASSERT_TRUE(alice.shows(" bob: two\n")) << alice.screen().text();
    ASSERT_TRUE(alice.shows(typed_at_the_end)) << alice.screen().text();
    EXPECT_TRUE(alice.shows(" bob: earlier\n"));
    EXPECT_TRUE(alice.shows(" bob: one\n"));
    EXPECT_EQ(alice.screen().text().find("alice> "), alice.screen().text().rfind("alice> "));
    alice.type_line("");
    EXPECT_TRUE(bob_->hears(said("alice", typed)));
    alice.type_line("/quit");
    ASSERT_TRUE(bob_->hears_left("alice"));
    EXPECT_EQ(alice.screen().unknown(), std::vector<std::string>{});
  }
}

// Of a line that is taller than the screen the cursor's part is shown, and nothing is lost.
// Messages of protocol 2 are shorter.
TEST_F(ChatTerminal, ALineMayBeTallerThanTheScreen) {
  TerminalChat alice(server_, {"join", "kitchen", "--name", "alice", "--v1"});
  ASSERT_TRUE(at_prompt(alice));
  std::string typed;
  for (int i = 0; i < 500; ++i) typed += std::to_string(i) + "-";
  for (std::size_t at = 0; at < typed.size(); at += 500) alice.type(typed.substr(at, 500));
  ASSERT_TRUE(alice.shows([](const Screen& screen) {
    return without_blanks(screen).ends_with("-498-499-");
  })) << alice.screen().text();
  bob_->say("hi");
  EXPECT_TRUE(alice.shows(" bob: hi\n"));
  alice.type("\x01");
  EXPECT_TRUE(alice.shows([](const Screen& screen) { return screen.cursor_column() == 7; }));
  EXPECT_TRUE(alice.screen().cursor_row().starts_with("alice> 0-1-2-"));
  alice.type_line("");
  EXPECT_TRUE(bob_->hears(said("alice", typed)));
  EXPECT_TRUE(alice.shows_typed("alice>"));
}

TEST_F(ChatTerminal, TheArrowKeysBringBackWhatWasSaid) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type_line("first");
  alice.type_line("second");
  EXPECT_TRUE(bob_->hears(said("alice", "first")));
  EXPECT_TRUE(bob_->hears(said("alice", "second")));
  ASSERT_TRUE(alice.shows(" alice: second\nalice>\n"));
  alice.type("\x1b[A");
  EXPECT_TRUE(alice.shows_typed("alice> second"));
  alice.type("\x1b[A");
  EXPECT_TRUE(alice.shows_typed("alice> first"));
  bob_->say("meanwhile");
  EXPECT_TRUE(alice.shows(" bob: meanwhile\nalice> first\n"));
  alice.type("\x1b[B");
  EXPECT_TRUE(alice.shows_typed("alice> second"));
  alice.type_line("!");
  EXPECT_TRUE(bob_->hears(said("alice", "second!")));
}

}  // namespace
}  // namespace chatd::test
