// `chat` as a person sees it.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/e2e/chat/terminal_kit.h"

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
  EXPECT_EQ(alice.screen().unknown(), std::vector<std::string>{});
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
  // With protocol 2 who is in the room knows who else is.
  EXPECT_TRUE(alice.shows(chat_protocol() == 1 ? "2 people here; the server does not name"
                                               : "2 people here: carol, alice"));
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
  EXPECT_EQ(alice.screen().unknown(), std::vector<std::string>{});
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
  EXPECT_TRUE(alice.shows("you are no longer in the room")) << alice.screen().text();
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
