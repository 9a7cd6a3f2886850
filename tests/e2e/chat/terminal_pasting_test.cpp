// More lines in `chat` than anybody types: pasted, or typed ahead.
#include <string>
#include <vector>

#include "tests/e2e/chat/terminal_kit.h"

namespace chatd::test {
namespace {

TEST_F(ChatTerminal, ATabIsSaid) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  alice.type("if x:\r\tgo()\r");
  EXPECT_TRUE(bob_->hears(said("alice", "if x:")));
  EXPECT_TRUE(bob_->hears("{\"sender\":\"alice\",\"message\":\"\\tgo()\"}"));
  EXPECT_TRUE(alice.shows(" alice: ^Igo()\n"));
}

TEST_F(ChatTerminal, PastedLinesAreSaidOneByOne) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  std::string pasted;
  for (int i = 0; i < 40; ++i) pasted += "line " + std::to_string(i) + "\r";
  alice.type(pasted + "and on");
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(bob_->hears(said("alice", "line " + std::to_string(i))));
  ASSERT_TRUE(alice.shows(" alice: line 39\n"));
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
  // Three seconds' worth, at the pace at which they are said: twice as many as are said until alice
  // knows that the room has ended.
  for (int i = 0; i < 1'200; ++i) pasted += "line " + std::to_string(i) + "\r";
  alice.type(pasted);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(bob_->hears(said("alice", "line " + std::to_string(i))));
  bob_->leave();  // the host
  EXPECT_EQ(exit_code_of(alice.process()), 5);
  EXPECT_TRUE(alice.shows("you are no longer in the room"));
  EXPECT_TRUE(alice.shows("more lines of yours were not sent.")) << alice.screen().text();
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

}  // namespace
}  // namespace chatd::test
