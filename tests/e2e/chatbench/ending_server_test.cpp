// A server that ends, or hangs, in the middle of a run: whatever it did until then, the result is
// INVALID and says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>

#include "server/os/unique_fd.h"
#include "tests/e2e/chatbench/chatbench_program.h"
#include "tests/e2e/chatbench/other_server.h"

namespace chatd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kInvalid = 3;

// On a terminal, so that its progress can be seen; up to the moment when it shows `progress`.
Process start_and_see(const std::string& progress, const Arguments& arguments) {
  Arguments command{CHATBENCH_PROGRAM, "run", "--max-send-lag", "10s", "--warmup", "100ms"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process chatbench(command, {.on_terminal = true});
  EXPECT_TRUE(chatbench.wait_for_text(Stream::kStdout, progress))
      << chatbench.captured(Stream::kStdout);
  return chatbench;
}

// A second of the measurement is over, of three.
constexpr const char* kASecond = "/3 s: ";

const Arguments kOpenLoop{"--rate", "500"};
const Arguments kClosedLoop{"--window", "2"};

Arguments operator+(Arguments one, const Arguments& more) {
  one.insert(one.end(), more.begin(), more.end());
  return one;
}

// Joining takes so long that there is time to see it.
const Arguments kSlowJoins{"--join-rate", "5", "--members", "200"};
constexpr const char* kJoining = " of 600 members are in";

Arguments short_run(const Arguments& server, const Arguments& loop) {
  Arguments arguments{"--rooms", "3",     "--members", "4",     "--duration", "3s",
                      "--drain", "300ms", "--give-up", "300ms", "--slo",      "p50<10s"};
  return arguments + server + loop;
}

const testing::Matcher<const std::string&> kNamesTheServer =
    testing::AnyOf(HasSubstr("the server"), HasSubstr("the broker"));

// The kernel may give the port of a server that has ended to another test's, which looks like a
// server that was started afresh.
const testing::Matcher<const std::string&> kHasEnded =
    testing::AnyOf(HasSubstr("the server has ended"), HasSubstr("the server was started afresh"));

// And why.
void expect_invalid(const BenchRun& run, const testing::Matcher<const std::string&>& because) {
  EXPECT_EQ(run.exit_code, kInvalid) << run.output << run.errors;
  EXPECT_THAT(run.output, because);
}

class EndingServer : public testing::TestWithParam<const char*> {
 protected:
  EndingServer() : server_(GetParam()) {}

  void SetUp() override {
    if (!server_.is_installed()) GTEST_SKIP() << server_.remedy();
    ASSERT_TRUE(server_.ready()) << server_.diagnosis();
    without_pid_ = server_.flags_without_pid();
  }

  // The run that its server got this signal in, when it showed this.
  BenchRun run_until(const std::string& progress, int signal, const Arguments& arguments) {
    Process chatbench = start_and_see(progress, arguments);
    server_.kill(signal);
    return finish(chatbench);
  }

  // A clear word on why, and no blame for chatbench.
  void expect_invalid_after(int signal, const Arguments& loop, const Arguments& flags) {
    const BenchRun run = run_until(kASecond, signal, short_run(flags, loop));
    expect_invalid(run, AllOf(HasSubstr("INVALID"), kNamesTheServer));
    EXPECT_THAT(run.output, Not(HasSubstr("chatbench's own messages")));
  }

  OtherServer server_;
  Arguments without_pid_;
};

TEST_P(EndingServer, OpenLoop) {
  expect_invalid_after(SIGKILL, kOpenLoop, without_pid_);
}

TEST_P(EndingServer, ClosedLoop) {
  expect_invalid_after(SIGKILL, kClosedLoop, without_pid_);
}

TEST_P(EndingServer, WithItsProcessWatched) {
  expect_invalid_after(SIGKILL, kClosedLoop, server_.flags());
}

TEST_P(EndingServer, Hangs) {
  expect_invalid_after(SIGSTOP, kOpenLoop, without_pid_);
}

TEST_P(EndingServer, WhileMembersJoin) {
  const BenchRun run =
      run_until(kJoining, SIGKILL, short_run(without_pid_ + kSlowJoins, kOpenLoop));
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.output, testing::AnyOf(HasSubstr("nothing answers at UDP"),
                                         HasSubstr("cannot connect to the broker"),
                                         HasSubstr("ended a connection while members joined")));
}

TEST_P(EndingServer, BeforeTheMeasurement) {
  const Arguments flags{"--warmup", "500ms", "--duration", "300ms"};
  expect_invalid(
      run_until("warming up", SIGKILL, short_run({}, kClosedLoop + without_pid_ + flags)),
      kNamesTheServer);
}

INSTANTIATE_TEST_SUITE_P(All, EndingServer,
                         testing::Values("naive", "lower-bound", "redis", "nats", "mosquitto",
                                         "redis-tls", "nats-tls", "mosquitto-tls"),
                         [](const auto& test) { return test_name(test.param); });

class EndingChatd : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  Arguments place() const {
    return {"--host",     server_.tcp().ip(),
            "--tcp-port", std::to_string(server_.tcp().port()),
            "--udp-port", std::to_string(server_.udp().port())};
  }

  BenchRun run_until(const std::string& progress, int signal, const Arguments& arguments) {
    Process chatbench = start_and_see(progress, arguments);
    server_.process().kill(signal);
    return finish(chatbench);
  }
  BenchRun run_until(int signal, const Arguments& loop) {
    return run_until(kASecond, signal, short_run(place(), loop));
  }
  // Once the first step, of 100 messages a second, has held.
  Process start_search(const Arguments& more = {}) {
    const Arguments arguments{"--rooms",    "2",     "--members", "3",      "--rate",    "100",
                              "--duration", "500ms", "--slo",     "loss=0", "--find-max"};
    Process chatbench = start_chatbench(run_against(server_, arguments + more));
    EXPECT_TRUE(chatbench.wait_for_line(Stream::kStderr, "100/s messages: holds"));
    return chatbench;
  }

  ChatdServer server_{std::vector<std::string>{"--rate-limits", "off"}};
};

TEST_F(EndingChatd, OpenLoop) {
  expect_invalid(run_until(SIGKILL, kOpenLoop), AllOf(HasSubstr("UDP socket at"), kHasEnded));
}

TEST_F(EndingChatd, ClosedLoop) {
  expect_invalid(run_until(SIGKILL, kClosedLoop), kHasEnded);
}

TEST_F(EndingChatd, WhileMembersJoin) {
  const BenchRun run = run_until(kJoining, SIGKILL, short_run(place() + kSlowJoins, kOpenLoop));
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.output, testing::AnyOf(HasSubstr("Connection refused"),
                                         HasSubstr("the server closed the connection")));
}

TEST_F(EndingChatd, BeforeTheMeasurement) {
  const Arguments flags{"--warmup", "500ms"};
  expect_invalid(run_until("warming up", SIGKILL, short_run({}, kOpenLoop + place() + flags)),
                 kHasEnded);
}

// It hung, so that something is missing, and ends while that is waited for.
TEST_F(EndingChatd, AfterTheMeasurement) {
  Process chatbench =
      start_and_see(kASecond, short_run({}, kOpenLoop + place() + Arguments{"--drain", "20s"}));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(chatbench.wait_for_text(Stream::kStdout, "draining"));
  server_.process().kill(SIGKILL);
  ASSERT_TRUE(server_.process().wait_exit());
  chatbench.kill(SIGINT);
  expect_invalid(finish(chatbench), AllOf(kHasEnded, HasSubstr("interrupted")));
}

TEST_F(EndingChatd, ThatSaysGoodbye) {
  expect_invalid(run_until(SIGTERM, kOpenLoop),
                 HasSubstr("the server removed members during the run"));
}

TEST_F(EndingChatd, Hangs) {
  expect_invalid(run_until(SIGSTOP, kOpenLoop), HasSubstr("does not answer any more"));
}

// Everybody has a socket of its own, which hears of it as well; nothing is wrong with chatbench.
TEST_F(EndingChatd, SocketsOfTheirOwn) {
  const Arguments loop = kOpenLoop + Arguments{"--one-socket-per-client"};
  expect_invalid(run_until(SIGKILL, loop), kHasEnded);
}

TEST_F(EndingChatd, TheSearchForTheHighestRateEndsAndDoesNotBlameChatbench) {
  Process chatbench = start_search({"--give-up", "100ms", "--drain", "100ms"});
  server_.process().kill(SIGKILL);
  const BenchRun run = finish(chatbench);
  expect_invalid(run, HasSubstr("the search ended at 200/s, the server"));
  EXPECT_THAT(run.errors, Not(HasSubstr("chatbench itself")));
  EXPECT_THAT(run.errors, Not(HasSubstr("400/s")));
}

// Of an interrupted search nobody knows what it would have found.
TEST_F(EndingChatd, AnInterruptedSearchHasFoundNothing) {
  Process chatbench = start_search();
  chatbench.kill(SIGINT);
  expect_invalid(finish(chatbench), HasSubstr("the search was interrupted"));
}

// Takes connections, as the kernel does for a process that hangs, and says nothing; UDP likewise.
class SilentServer {
 public:
  SilentServer()
      : tcp_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        udp_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress any("127.0.0.1", 0);
    EXPECT_EQ(::bind(tcp_.get(), any.get(), any.size()), 0);
    EXPECT_EQ(::listen(tcp_.get(), 100), 0);
    EXPECT_EQ(::bind(udp_.get(), any.get(), any.size()), 0);
  }
  Arguments flags(const std::string& target) const {
    return {"run",        "--target",      target,    "--tcp-port", port_of(tcp_),
            "--udp-port", port_of(udp_),   "--rooms", "1",          "--members",
            "100",        "--connections", "8",       "--duration", "100ms"};
  }

 private:
  static std::string port_of(const UniqueFd& fd) {
    return std::to_string(SocketAddress::local_of(fd.get()).port());
  }
  UniqueFd tcp_;
  UniqueFd udp_;
};

class ServerThatNeverAnswers : public testing::TestWithParam<const char*> {};

TEST_P(ServerThatNeverAnswers, IsGivenUp) {
  const SilentServer server;
  const BenchRun run = run_chatbench(server.flags(GetParam()));
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.errors, testing::AnyOf(HasSubstr("has answered nothing for 10 s"),
                                         HasSubstr("has not answered for 10000 ms"),
                                         HasSubstr("nothing answers at UDP")));
}

TEST_P(ServerThatNeverAnswers, ASignalEndsTheWait) {
  const SilentServer server;
  Process chatbench = start_chatbench(server.flags(GetParam()));
  chatbench.wait_for_line(Stream::kStderr, "buffers", Deadline(std::chrono::milliseconds(300)));
  chatbench.kill(SIGINT);
  // Before it had its handlers, the signal's own way is fine, too.
  const auto status = chatbench.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->code == 1 || status->signal == SIGINT);
}

INSTANTIATE_TEST_SUITE_P(All, ServerThatNeverAnswers,
                         testing::Values("chatd", "naive", "redis", "nats", "mosquitto"),
                         [](const auto& test) { return test_name(test.param); });

// Slower than any patience with a server: it has nothing to answer meanwhile.
TEST_F(EndingChatd, JoinsAtALowRateAreNoHang) {
  const BenchRun run =
      run_chatbench(run_against(server_, {"--rooms", "1", "--members", "3", "--join-rate", "0.15",
                                          "--rate", "100", "--duration", "100ms"}));
  EXPECT_EQ(run.exit_code, 0) << run.output << run.errors;
}

}  // namespace
}  // namespace chatd::test
