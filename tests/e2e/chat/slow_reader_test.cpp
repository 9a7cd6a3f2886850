// `chat` whose output nobody reads: it goes on with everything else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <csignal>
#include <optional>
#include <string>

#include "server/os/unique_fd.h"
#include "tests/e2e/chat/chat_program.h"
#include "tests/support/member.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kSmallestPipeBytes = 4096;

// The pipe behind the program's stdout.
UniqueFd stdout_pipe_of(const Process& program) {
  const std::string path = "/proc/" + std::to_string(program.pid()) + "/fd/1";
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

// A Process reads both streams whenever it waits: from here on nothing may wait for a line of the
// program, until its output is to be read.
testing::AssertionResult make_stdout_small(const Process& program) {
  const UniqueFd pipe = stdout_pipe_of(program);
  if (::fcntl(pipe.get(), F_SETPIPE_SZ, kSmallestPipeBytes) == kSmallestPipeBytes) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "cannot make the pipe small";
}

bool stdout_fills_up(const Process& program) {
  const UniqueFd pipe = stdout_pipe_of(program);
  return wait_until([&pipe] {
    int waiting_bytes = 0;
    return ::ioctl(pipe.get(), FIONREAD, &waiting_bytes) == 0 && waiting_bytes > 900;
  });
}

// More than the pipe and what `chat` itself keeps.
std::string much_text() {
  std::string text;
  for (int i = 0; i < 160; ++i) text += std::string(1'000, 'x') + "\n";
  return text;
}

TEST(ChatSlowReader, ItStaysAMemberAndSendsItsInput) {
  ChatdServer impatient({"--idle-timeout", "1s"});
  ASSERT_TRUE(impatient.ready()) << impatient.diagnosis();
  Process alice =
      start_chat(impatient, {"create", "kitchen", "--name", "alice", "--heartbeat", "100ms"});
  ASSERT_TRUE(alice.wait_for_line(Stream::kStderr, "you are in").has_value());
  Process bob = start_chat(impatient, {"join", "kitchen", "--name", "bob", "--heartbeat", "200ms"});
  ASSERT_TRUE(bob.wait_for_line(Stream::kStderr, "you are in").has_value());
  ASSERT_TRUE(make_stdout_small(bob));
  ASSERT_TRUE(alice.write_stdin(much_text()));
  ASSERT_TRUE(stdout_fills_up(bob));

  // Carol came after the last that Bob could print and is silent: without heartbeats he would have
  // to go before her.
  const auto carol = Member::join(impatient, "kitchen", "carol");
  ASSERT_TRUE(carol.has_value());
  ASSERT_TRUE(alice.wait_for_line(Stream::kStdout, "* carol left").has_value());
  EXPECT_EQ(alice.captured(Stream::kStdout).find("* bob left"), std::string::npos);
  ASSERT_TRUE(bob.write_stdin("still here\n"));
  EXPECT_TRUE(alice.wait_for_line(Stream::kStdout, "bob: still here").has_value());

  // Once it is read, nothing of what was kept is lost, nor what comes then.
  ASSERT_TRUE(alice.write_stdin("the end\n"));
  EXPECT_TRUE(bob.wait_for_line(Stream::kStdout, "* carol joined").has_value());
  ASSERT_TRUE(alice.write_stdin("really\n"));
  EXPECT_TRUE(bob.wait_for_line(Stream::kStdout, "alice: really").has_value());
  bob.close_stdin();
  EXPECT_EQ(exit_code_of(bob), 0);
}

class ChatSlowReaderEnds : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ready()) << server_.diagnosis();
    alice_ = Member::create(server_, "kitchen", "alice");
    ASSERT_TRUE(alice_.has_value());
  }

  // Once Bob is in the room.
  void pour_into(Process& bob) {
    ASSERT_TRUE(alice_->hears_joined("bob"));
    ASSERT_TRUE(make_stdout_small(bob));
    for (int i = 0; i < 30; ++i) alice_->say(std::string(3'900, 'x'));
    ASSERT_TRUE(stdout_fills_up(bob));
    // It looks at its input before the room: when the third line is sent, all that was in the
    // kernel when the first one came back has been taken.
    for (const char* const line : {"one", "two", "three"}) {
      ASSERT_TRUE(bob.write_stdin(std::string(line) + "\n"));
      ASSERT_TRUE(alice_->hears(said("bob", line)));
    }
  }
  // Without reading what it has written.
  static bool ends(Process& chat) {
    return wait_until([&chat] { return !chat.running(); });
  }

  ChatdServer server_;
  std::optional<Member> alice_;
};

TEST_F(ChatSlowReaderEnds, AtTheTimeout) {
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob", "--timeout", "2s"});
  pour_into(bob);
  EXPECT_TRUE(alice_->hears_left("bob"));
  EXPECT_TRUE(ends(bob));
  EXPECT_EQ(exit_code_of(bob), 0);
  EXPECT_NE(bob.captured(Stream::kStderr).find("did not take all of it"), std::string::npos);
}

TEST_F(ChatSlowReaderEnds, OnASignal) {
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  pour_into(bob);
  bob.kill(SIGTERM);
  EXPECT_TRUE(alice_->hears_left("bob"));
  EXPECT_TRUE(ends(bob));
  EXPECT_EQ(exit_code_of(bob), 128 + SIGTERM);
}

// At the end of its input it leaves at once, and then waits for the reader.
TEST_F(ChatSlowReaderEnds, OnceEverythingIsRead) {
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  pour_into(bob);
  bob.close_stdin();
  EXPECT_TRUE(alice_->hears_left("bob"));
  EXPECT_TRUE(bob.running());
  EXPECT_EQ(exit_code_of(bob), 0);
  EXPECT_GT(bob.captured(Stream::kStdout).size(), 2U * kSmallestPipeBytes);
  EXPECT_TRUE(bob.captured(Stream::kStdout).ends_with("x\n"));
}

}  // namespace
}  // namespace chatd::test
