// What `chat` asks on a terminal, and what happens when it is stopped there (^Z).
#include <fcntl.h>
#include <termios.h>

#include <csignal>
#include <string>

#include "server/os/unique_fd.h"
#include "tests/e2e/chat/terminal_kit.h"

namespace chatd::test {
namespace {

// Whether the terminal shows what is typed.
bool echoes(const Process& program) {
  const std::string path = "/proc/" + std::to_string(program.pid()) + "/fd/0";
  const UniqueFd terminal(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios modes{};
  EXPECT_EQ(::tcgetattr(terminal.get(), &modes), 0);
  return (modes.c_lflag & ECHO) != 0;
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

}  // namespace
}  // namespace chatd::test
