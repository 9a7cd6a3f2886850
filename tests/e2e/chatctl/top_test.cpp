// chatctl top: one look on a pipe, and on a terminal a picture that follows what happens.
#include <csignal>

#include "tests/e2e/chatctl/ctl_test.h"

namespace chatd::test {
namespace {

TEST_F(CtlTest, TopOnAPipeIsOneLook) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  const auto den = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(den.size(), 2u);
  const std::string text = shown({"top"});
  EXPECT_TRUE(has(text, "\nSHARD  ROOMS  MEMBERS")) << text;
  EXPECT_TRUE(has(text, "\nden         2 ")) << text;
  EXPECT_FALSE(has(text, "\x1b")) << text;
  EXPECT_TRUE(JsonObject(shown({"top", "--json"})).valid());
}

class TopOnATerminal : public CtlTest {
 protected:
  Process start_top() {
    return start_chatctl({"top", "--admin", place()},
                         {.environment = {{"TERM", "xterm"}}, .on_terminal = true});
  }
  // It ends, and the terminal is as it was.
  void expect_end(Process& top, int exit_code) {
    const auto exit = top.wait_exit();
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, exit_code);
    EXPECT_TRUE(has(top.captured(Stream::kStdout), "\x1b[?25h\x1b[?1049l"));
  }
};

TEST_F(TopOnATerminal, FollowsWhatHappensUntilQ) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  Process top = start_top();
  ASSERT_TRUE(top.wait_for_text(Stream::kStdout, "\nSHARD"));
  const auto den = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(den.size(), 2u);
  EXPECT_TRUE(top.wait_for_text(Stream::kStdout, "PER SECOND"));
  EXPECT_TRUE(top.wait_for_text(Stream::kStdout, "\nden         2 "));
  ASSERT_TRUE(top.write_stdin("q"));
  expect_end(top, 0);
}

TEST_F(TopOnATerminal, EndsWithCtrlCAndWithASignal) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  Process by_key = start_top();
  ASSERT_TRUE(by_key.wait_for_text(Stream::kStdout, "\nSHARD"));
  ASSERT_TRUE(by_key.write_stdin("\x03"));
  expect_end(by_key, 0);
  Process by_signal = start_top();
  ASSERT_TRUE(by_signal.wait_for_text(Stream::kStdout, "\nSHARD"));
  by_signal.kill(SIGTERM);
  expect_end(by_signal, 0);
}

TEST_F(TopOnATerminal, SaysWhenChatdHasGone) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  Process top = start_top();
  ASSERT_TRUE(top.wait_for_text(Stream::kStdout, "\nSHARD"));
  totals();
  EXPECT_TRUE(top.wait_for_text(Stream::kStdout, "chatctl: no chatd answers at "));
  expect_end(top, 1);
}

}  // namespace
}  // namespace chatd::test
