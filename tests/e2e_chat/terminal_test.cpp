// `chat` as a person sees it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e_chat/chat_program.h"
#include "tests/support/member.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// Whether there is an escape sequence that selects a colour or shade: ESC [ digits m.
bool has_colours(std::string_view bytes) {
  for (std::size_t at = bytes.find("\x1b["); at != std::string_view::npos;
       at = bytes.find("\x1b[", at + 1)) {
    const std::size_t end = bytes.find_first_not_of("0123456789;", at + 2);
    if (end != std::string_view::npos && bytes[end] == 'm') return true;
  }
  return false;
}

bool is_stopped(const Process& program) {
  return wait_until([&program] {
    std::ifstream stat("/proc/" + std::to_string(program.pid()) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return state == "T";
  });
}

// Whether the terminal shows what is typed.
bool echoes(const Process& program) {
  const std::string path = "/proc/" + std::to_string(program.pid()) + "/fd/0";
  const UniqueFd terminal(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios modes{};
  EXPECT_EQ(::tcgetattr(terminal.get(), &modes), 0);
  return (modes.c_lflag & ECHO) != 0;
}

// All that is on the screen, without blanks and line ends.
std::string without_blanks(const Screen& screen) {
  std::string text;
  for (const std::string& row : screen.rows()) text += row;
  std::erase(text, ' ');
  return text;
}

class ChatTerminal : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ready()) << server_.diagnosis();
    bob_ = Member::create(server_, "kitchen", "bob");
    ASSERT_TRUE(bob_.has_value());
  }

  Arguments join() const { return {"join", "kitchen", "--name", "alice"}; }

  // At the prompt, and Bob has heard of it.
  bool at_prompt(TerminalChat& chat) {
    return chat.shows_typed("alice>") && static_cast<bool>(bob_->hears_joined("alice"));
  }

  ChatdServer server_;
  std::optional<Member> bob_;
};

TEST_F(ChatTerminal, TalksAndQuits) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice)) << alice.screen().text();
  alice.type_line("hello wörld");
  EXPECT_TRUE(bob_->hears(said("alice", "hello wörld")));
  EXPECT_TRUE(alice.shows(" alice: hello wörld\nalice>"));
  bob_->say("hi 🎉");
  EXPECT_TRUE(alice.shows(" bob: hi 🎉\nalice>"));
  alice.type_line("/quit");
  EXPECT_TRUE(bob_->hears_left("alice"));
  EXPECT_EQ(exit_code_of(alice.process()), 0);
  EXPECT_TRUE(alice.shows("You left kitchen."));
  EXPECT_TRUE(alice.screen().unknown().empty());
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
  EXPECT_TRUE(alice.screen().unknown().empty());
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
    EXPECT_TRUE(alice.screen().unknown().empty());
  }
}

// Of a line that is taller than the screen the cursor's part is shown, and nothing is lost.
TEST_F(ChatTerminal, ALineMayBeTallerThanTheScreen) {
  TerminalChat alice(server_, join());
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

TEST_F(ChatTerminal, ATabIsSaid) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("if x:\r\tgo()\r");
  EXPECT_TRUE(bob_->hears(said("alice", "if x:")));
  EXPECT_TRUE(bob_->hears("{\"sender\":\"alice\",\"message\":\"\\tgo()\"}"));
  EXPECT_TRUE(alice.shows(" alice: ^Igo()\n"));
}

TEST_F(ChatTerminal, AMessageCannotPassForAnotherLine) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  // As many blanks as it takes, whatever the width of "12:00 bob: hi" is.
  for (std::size_t blanks = 60; blanks < 80; ++blanks) {
    bob_->say("hi" + std::string(blanks, ' ') + "12:01 carol: the code is " +
              std::to_string(blanks));
  }
  ASSERT_TRUE(alice.shows("the code is 79"));
  for (const std::string& row : alice.screen().rows()) {
    EXPECT_FALSE(row.starts_with("12:01 carol")) << alice.screen().text();
    EXPECT_FALSE(row.starts_with("carol")) << alice.screen().text();
  }
  auto eve = Member::join(server_, "kitchen", "carol: the code is 1234. bob");
  ASSERT_TRUE(eve.has_value());
  eve->say("x");
  EXPECT_TRUE(alice.shows(" \"carol: the code is 1234. bob\": x\n")) << alice.screen().text();
}

TEST_F(ChatTerminal, PastedLinesAreSaidOneByOne) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  std::string pasted;
  for (int i = 0; i < 40; ++i) pasted += "line " + std::to_string(i) + "\r";
  alice.type(pasted + "and on");
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(bob_->hears(said("alice", "line " + std::to_string(i))));
  ASSERT_TRUE(alice.shows_typed("alice> and on"));
  // After the welcome: one row each, and nothing that the terminal has echoed by itself.
  std::vector<std::string> rows = alice.screen().rows();
  std::erase(rows, "");
  ASSERT_EQ(rows.size(), 42U) << alice.screen().text();
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(rows[i + 1].substr(5), " alice: line " + std::to_string(i));
  }
}

// More, and faster, than the server lets anybody say.
TEST_F(ChatTerminal, WhatIsPastedIsPaced) {
  const ChatdServer server({"--max-member-messages", "400"});
  auto bob = Member::create(server, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  TerminalChat alice(server, join());
  ASSERT_TRUE(alice.shows_typed("alice>"));
  ASSERT_TRUE(bob->hears_joined("alice"));
  for (int first = 0; first < 1'200; first += 40) {
    std::string pasted;
    for (int i = first; i < first + 40; ++i) pasted += "line " + std::to_string(i) + "\r";
    alice.type(pasted);
    for (int i = first; i < first + 40; ++i) {
      ASSERT_TRUE(bob->hears(said("alice", "line " + std::to_string(i))));
    }
    ASSERT_TRUE(alice.shows(" alice: line " + std::to_string(first + 39) + "\n"));
  }
  EXPECT_EQ(alice.screen().text().find("too fast"), std::string::npos);
}

TEST_F(ChatTerminal, WhatIsLeftOfAPasteIsToldWhenTheRoomEnds) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  std::string pasted;
  for (int i = 0; i < 3'000; ++i) pasted += "line " + std::to_string(i) + "\r";
  alice.type(pasted);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(bob_->hears(said("alice", "line " + std::to_string(i))));
  bob_->leave();  // the host
  EXPECT_EQ(exit_code_of(alice.process()), 5);
  EXPECT_TRUE(alice.shows("disconnected\""));
  EXPECT_TRUE(alice.shows("more lines of yours were not sent.")) << alice.screen().text();
}

TEST_F(ChatTerminal, Commands) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type_line("/who");
  EXPECT_TRUE(alice.shows("2 people here: ")) << alice.screen().text();
  EXPECT_NE(alice.screen().text().find("bob"), std::string::npos);
  alice.type_line("/help");
  EXPECT_TRUE(alice.shows("/leave "));
  alice.type_line("/dance");
  EXPECT_TRUE(alice.shows("There is no command /dance."));
  alice.type_line("//dance");
  // The first thing that Bob hears: nothing of the above was said.
  EXPECT_TRUE(bob_->hears(said("alice", "/dance")));
  alice.type_line("/leave");
  EXPECT_TRUE(bob_->hears_left("alice"));
  EXPECT_EQ(exit_code_of(alice.process()), 0);
}

TEST_F(ChatTerminal, WhoTellsWhatIsHidden) {
  auto carol = Member::create(server_, "den", "carol", {.password = "secret"});
  ASSERT_TRUE(carol.has_value());
  TerminalChat alice(server_, {"join", "den", "--name", "alice", "--password", "secret"});
  ASSERT_TRUE(alice.shows_typed("alice>"));
  alice.type_line("/who");
  EXPECT_TRUE(alice.shows("2 people here; the server does not name"));
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

TEST_F(ChatTerminal, NamesHaveColoursUnlessTheyAreUnwanted) {
  bob_->heartbeat();
  TerminalChat coloured(server_, join());
  ASSERT_TRUE(at_prompt(coloured));
  bob_->say("hi");
  ASSERT_TRUE(coloured.shows(" bob: hi\n"));
  EXPECT_NE(coloured.bytes().find("mbob\x1b[0m: hi"), std::string::npos);
  coloured.type_line("/quit");
  ASSERT_TRUE(bob_->hears_left("alice"));

  TerminalChat plain(server_, join(), {{"NO_COLOR", "1"}});
  ASSERT_TRUE(at_prompt(plain));
  bob_->say("hi");
  ASSERT_TRUE(plain.shows(" bob: hi\n"));
  EXPECT_TRUE(has_colours(coloured.bytes()));
  EXPECT_FALSE(has_colours(plain.bytes()));
}

TEST_F(ChatTerminal, ControlCharactersAreHarmless) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("typing");
  ASSERT_TRUE(alice.shows_typed("alice> typing"));
  bob_->say("\x1b[2J\x1b]0;owned\x07\u009b31m \u202e\n two");
  EXPECT_TRUE(alice.shows(" bob: ^[[2J^[]0;owned^G<U+009B>31m <U+202E>^J two\nalice> typing\n"))
      << alice.screen().text();
  EXPECT_FALSE(alice.screen().bell());
  EXPECT_TRUE(alice.screen().unknown().empty());
}

TEST_F(ChatTerminal, AMessageThatIsTooLongIsExplained) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  const std::string quotes(900, '"');  // in pieces that a terminal's input queue takes
  for (int i = 0; i < 3; ++i) {
    alice.type(quotes + std::to_string(i));
    ASSERT_TRUE(alice.shows(std::to_string(i)));
  }
  alice.type_line("");
  EXPECT_TRUE(alice.shows("not sent: it is too long by"));
  alice.type_line("short");
  EXPECT_TRUE(bob_->hears(said("alice", "short")));
}

TEST_F(ChatTerminal, EndOfInputAndSignalsLeaveTheRoom) {
  const auto expect_leaves = [this](const std::function<void(TerminalChat&)>& end, int code) {
    TerminalChat alice(server_, join());
    ASSERT_TRUE(at_prompt(alice));
    end(alice);
    EXPECT_TRUE(bob_->hears_left("alice"));
    EXPECT_EQ(exit_code_of(alice.process()), code);
    EXPECT_TRUE(alice.shows("You left kitchen."));
    EXPECT_EQ(alice.screen().text().find("alice>"), std::string::npos) << alice.screen().text();
  };
  expect_leaves([](TerminalChat& chat) { chat.type("\x04"); }, 0);
  expect_leaves([](TerminalChat& chat) { chat.type("half-typed\x03"); }, 128 + SIGINT);
  expect_leaves([](TerminalChat& chat) { chat.process().kill(SIGTERM); }, 128 + SIGTERM);
}

TEST_F(ChatTerminal, AClosedTerminalLeavesTheRoom) {
  int master = -1;
  const Arguments command = chat_command(server_, join());
  const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::setenv("TERM", "xterm", 1);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  UniqueFd terminal(master);
  EXPECT_TRUE(bob_->hears_joined("alice"));
  std::string shown;
  std::array<char, 256> buffer{};
  while (shown.find("alice> ") == std::string::npos) {
    const ssize_t size = ::read(terminal.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    shown.append(buffer.data(), static_cast<std::size_t>(size));
  }
  terminal.reset();
  EXPECT_TRUE(bob_->hears_left("alice"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(ChatTerminal, RemovalEndsItWithAWord) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("half-typed");
  bob_->leave();  // the host
  EXPECT_EQ(exit_code_of(alice.process()), 5);
  EXPECT_TRUE(alice.shows("disconnected\""));
}

TEST_F(ChatTerminal, AsksForEverything) {
  TerminalChat alice(server_, {});
  ASSERT_TRUE(alice.shows_typed("Your name:"));
  alice.type("alice\n");
  ASSERT_TRUE(alice.shows("Create or join"));
  alice.type("join\n");
  ASSERT_TRUE(alice.shows_typed("Room:"));
  alice.type("kitchen\n");
  ASSERT_TRUE(alice.shows("Password"));
  alice.type("\n");
  ASSERT_TRUE(at_prompt(alice)) << alice.screen().text();
  alice.type_line("hello");
  EXPECT_TRUE(bob_->hears(said("alice", "hello")));

  // Having been asked, one may choose another room.
  alice.type_line("/leave");
  EXPECT_TRUE(bob_->hears_left("alice"));
  ASSERT_TRUE(alice.shows("You left kitchen.\nCreate or join"));
  alice.type("c\n");
  ASSERT_TRUE(alice.shows_typed("Room:"));
  alice.type("den\n");
  // Not before the question: what is typed ahead of it is echoed.
  ASSERT_TRUE(alice.shows_typed("Password (Enter for none):"));
  alice.type("hush-hush\n");
  ASSERT_TRUE(alice.shows("You are in den as alice."));
  EXPECT_EQ(alice.bytes().find("hush-hush"), std::string::npos);
  alice.type_line("/quit");
  EXPECT_EQ(exit_code_of(alice.process()), 0);
}

TEST_F(ChatTerminal, AsksForAPasswordThatWasNotGiven) {
  auto carol = Member::create(server_, "den", "carol", {.password = "hush-hush"});
  ASSERT_TRUE(carol.has_value());
  TerminalChat alice(server_, {"join", "den", "--name", "alice"});
  ASSERT_TRUE(alice.shows_typed("The room's password:"));
  alice.type("a-bad-guess\n");
  ASSERT_TRUE(alice.shows("the server refused (401)"));
  ASSERT_TRUE(alice.shows_typed("The room's password:"));
  alice.type("hush-hush\n");
  EXPECT_TRUE(alice.shows_typed("alice>"));
  EXPECT_EQ(alice.bytes().find("hush-hush"), std::string::npos);
  EXPECT_EQ(alice.bytes().find("a-bad-guess"), std::string::npos);
}

// ^Z and `fg`, by a shell that sets the terminal to echo meanwhile, as shells do.
TEST_F(ChatTerminal, APasswordStaysHiddenAfterAStop) {
  auto carol = Member::create(server_, "den", "carol", {.password = "hush-hush"});
  ASSERT_TRUE(carol.has_value());
  TerminalChat alice(server_, {"join", "den", "--name", "alice"});
  ASSERT_TRUE(alice.shows_typed("The room's password:"));
  alice.type("\x1a");
  ASSERT_TRUE(is_stopped(alice.process()));
  EXPECT_TRUE(echoes(alice.process()));
  alice.process().kill(SIGCONT);
  ASSERT_TRUE(alice.shows([](const Screen& screen) {
    return screen.text().find("password:\nThe room's password:") != std::string::npos;
  })) << alice.screen().text();
  EXPECT_FALSE(echoes(alice.process()));
  alice.type("hush-hush\n");
  EXPECT_TRUE(alice.shows_typed("alice>"));
  EXPECT_EQ(alice.bytes().find("hush-hush"), std::string::npos);
}

TEST_F(ChatTerminal, AStopInTheMiddleOfALineLosesNothing) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("half-");
  ASSERT_TRUE(alice.shows_typed("alice> half-"));
  alice.type("\x1a");
  ASSERT_TRUE(is_stopped(alice.process()));
  EXPECT_TRUE(echoes(alice.process()));
  bob_->say("meanwhile");
  alice.process().kill(SIGCONT);
  ASSERT_TRUE(alice.shows(" bob: meanwhile\nalice> half-")) << alice.screen().text();
  alice.type_line("typed");
  EXPECT_TRUE(bob_->hears(said("alice", "half-typed")));
}

TEST_F(ChatTerminal, WhatIsTypedAheadOfLeaveAnswersTheQuestions) {
  TerminalChat alice(server_, {});
  ASSERT_TRUE(alice.shows_typed("Your name:"));
  alice.type("alice\nj\nkitchen\n\n");
  ASSERT_TRUE(at_prompt(alice)) << alice.screen().text();
  alice.type("/leave\rc\rden\r\rhello den\r");
  EXPECT_TRUE(bob_->hears_left("alice"));
  EXPECT_TRUE(alice.shows(" in den as alice.")) << alice.screen().text();
  EXPECT_TRUE(alice.shows(" alice: hello den\n")) << alice.screen().text();
}

TEST_F(ChatTerminal, ATerminalThatCannotMoveItsCursorIsServedLineByLine) {
  TerminalChat alice(server_, join(), {{"TERM", "dumb"}});
  ASSERT_TRUE(alice.shows("you are in kitchen as alice"));
  ASSERT_TRUE(bob_->hears_joined("alice"));
  bob_->say("hi");
  EXPECT_TRUE(alice.shows("bob: hi\n"));
  EXPECT_EQ(alice.bytes().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace chatd::test
