// A hand-over as whoever watches the processes sees it: one that stays as long as the service does.
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "tests/e2e/chatd/handover_kit.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// Whoever watches the first process sees one that stays as long as the service does: tini, which
// ends a container with its child, a supervisor, or a shell.
TEST_F(Handover, TheFirstProcessEndsWhenTheServiceDoes) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t first = server().pid();
  ASSERT_TRUE(hand_over());
  const pid_t second = server().serving_pid();
  ASSERT_TRUE(hand_over());
  EXPECT_NE(server().serving_pid(), second);
  EXPECT_TRUE(wait_until([&] { return ::kill(second, 0) != 0; })) << "who is between them stays";
  EXPECT_EQ(server().pid(), first);
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
  // What the first process is told, the last one does.
  server().process().kill(SIGTERM);
  for (Member& member : room) EXPECT_TRUE(member.hears_own_removal());
  EXPECT_TRUE(server().stop()) << server().diagnosis();
}

TEST_F(Handover, TheFirstProcessEndsAsTheLastOneDid) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(hand_over());
  ASSERT_EQ(::kill(server().serving_pid(), SIGKILL), 0);
  const auto end = server().process().wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 128 + SIGKILL);
  abandon();
}

// Whoever kills the process that he knows wants the service gone, and its ports free.
TEST_F(Handover, WithoutTheFirstProcessTheLastOneStops) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(hand_over());
  const pid_t last = server().serving_pid();
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  server().process().kill(SIGKILL);
  ASSERT_TRUE(server().process().wait_exit());
  EXPECT_TRUE(room[0].hears_own_removal());
  int status = 0;
  EXPECT_TRUE(wait_until([&] { return ::waitpid(last, &status, WNOHANG) == last; }));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  abandon();
}

// At whatever moment it comes.
TEST_F(Handover, AStopIsNeverLost) {
  for (int round = 0; round < 15; ++round) {
    SCOPED_TRACE(round);
    ASSERT_NO_FATAL_FAILURE(start());
    server().process().kill(SIGUSR1);
    // Earlier and later: at once, when the new process starts, when it has taken over; and a little
    // after each.
    if (round % 3 == 1) {
      ASSERT_TRUE(says("hand-over: process"));
    } else if (round % 3 == 2) {
      ASSERT_TRUE(says("handed over to process"));
    }
    for (int i = 0; i < round / 3; ++i) std::this_thread::yield();
    EXPECT_TRUE(server().stop(SIGTERM)) << server().diagnosis();
  }
}

// As nohup(1) starts it: neither the process that was started nor the one that serves obeys them.
TEST_F(Handover, SignalsThatWereIgnoredAtTheStartStayIgnored) {
  ASSERT_NO_FATAL_FAILURE(start({}, {.ignored_signals = {SIGHUP, SIGINT}}));
  ASSERT_TRUE(hand_over());
  for (const int signal : {SIGHUP, SIGINT}) {
    server().process().kill(signal);
    ASSERT_EQ(::kill(server().serving_pid(), signal), 0);
  }
  // The next one is read after those would have been.
  server().process().kill(SIGUSR2);
  EXPECT_TRUE(says("draining: "));
  EXPECT_TRUE(server().process().wait_exit());
  EXPECT_TRUE(says("drained: the last member has gone"));
  EXPECT_EQ(server().diagnosis().find("reload: "), std::string::npos) << server().diagnosis();
}

// A container: process 1, and everything ends with it. It is chatd, or what watches chatd and ends
// with it, as tini and docker --init do.
class InAContainer : public testing::TestWithParam<bool> {};

TEST_P(InAContainer, AHandOverEndsNothing) {
  std::vector<std::string> line{"/usr/bin/unshare", "--pid", "--fork", "--kill-child"};
  if (GetParam()) line.insert(line.end(), {"/bin/sh", "-c", R"("$@" & wait $!)", "init"});
  line.insert(line.end(),
              {ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"});
  Process container(line);
  if (!container.wait_for_line(Stream::kStdout, "chatd ready ")) {
    GTEST_SKIP() << "no container here: " << container.captured(Stream::kStderr);
  }
  pid_t chatd = children_of(container.pid()).at(0);
  if (GetParam()) chatd = children_of(chatd).at(0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::kill(chatd, SIGUSR1), 0);
    ASSERT_TRUE(wait_until([&] {
      container.pump();
      const std::string& said = container.captured(Stream::kStdout);
      return std::ranges::count(said, '\n') == i + 2;
    })) << container.captured(Stream::kStderr);
  }
  EXPECT_TRUE(container.running());
  ASSERT_EQ(::kill(chatd, SIGTERM), 0);
  const auto end = container.wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0);
  EXPECT_NE(container.captured(Stream::kStderr).find("info stopped"), std::string::npos)
      << container.captured(Stream::kStderr);
}

INSTANTIATE_TEST_SUITE_P(Handover, InAContainer, testing::Bool(), [](const auto& each) {
  return each.param ? "UnderAnInit" : "AsProcess1";
});

TEST(HandoverVariable, IsNotForPeople) {
  Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"},
                {.environment = {{"CHATD_HANDOVER_FD", "7"}}});
  const auto status = chatd.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_NE(chatd.captured(Stream::kStderr).find("CHATD_HANDOVER_FD is in the environment"),
            std::string::npos)
      << chatd.captured(Stream::kStderr);
}

}  // namespace
}  // namespace chatd::test
