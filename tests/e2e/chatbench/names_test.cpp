// A server that is named, and not by its address alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "tests/e2e/chat/chat_program.h"
#include "tests/e2e/chatbench/chatbench_program.h"
#include "tests/e2e/chatbench/other_server.h"
#include "tests/support/member.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

Process start_with_names(const Arguments& arguments) {
  Arguments command{CHATBENCH_PROGRAM, "run", "--max-send-lag", "10s"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command, {.environment = {{"LD_PRELOAD", CHATD_NAMES_LIBRARY}}});
  process.close_stdin();
  return process;
}

std::size_t threads_of(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task", error);
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

const Arguments kShort{"--rooms", "1", "--members", "3", "--rate", "100", "--duration", "100ms"};

TEST(Names, ChatdIsAtTheSecondAddress) {
  ChatdServer server;
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  Arguments arguments{"--host",     "several.test",
                      "--tcp-port", std::to_string(server.tcp().port()),
                      "--udp-port", std::to_string(server.udp().port())};
  arguments.insert(arguments.end(), kShort.begin(), kShort.end());
  Process chatbench = start_with_names(arguments);
  const BenchRun run = finish(chatbench);
  EXPECT_EQ(run.exit_code, 0) << run.output << run.errors;
}

// It has two addresses, and chatd listens on one of them: on that which all programs come to who
// are not told otherwise.
TEST(Names, ChatdAtLocalhostIsFoundByAll) {
  ChatdServer server({"--host", "localhost"},
                     {.environment = {{"LD_PRELOAD", CHATD_NAMES_LIBRARY}}});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  EXPECT_THAT(server.diagnosis(), HasSubstr("listens on 127.0.0.1 alone, not on ::1"));
  const Arguments ports{"--tcp-port", std::to_string(server.tcp().port()), "--udp-port",
                        std::to_string(server.udp().port())};
  auto alice = Member::create(server, "room", "alice");
  ASSERT_TRUE(alice);
  for (const Arguments& host : {Arguments{}, {"--host", "localhost"}, {"--host", "127.0.0.1"}}) {
    SCOPED_TRACE(host.empty() ? "no --host" : host.back());
    Arguments command{CHAT_PROGRAM, "join", "room", "--name", "bob", "--v1"};
    command.insert(command.end(), ports.begin(), ports.end());
    command.insert(command.end(), host.begin(), host.end());
    Process chat(command, chat_options());
    ASSERT_TRUE(alice->hears_joined("bob"));
    chat.write_stdin("hi\n");
    EXPECT_TRUE(alice->hears(said("bob", "hi")));
    alice->say("hello");
    EXPECT_EQ(chat.read_line(Stream::kStdout), "alice: hello");
    chat.close_stdin();
    EXPECT_EQ(exit_code_of(chat), 0);
    EXPECT_TRUE(alice->hears_left("bob"));

    Arguments arguments = kShort;
    arguments.insert(arguments.end(), ports.begin(), ports.end());
    arguments.insert(arguments.end(), host.begin(), host.end());
    Process chatbench = start_with_names(arguments);
    const BenchRun run = finish(chatbench);
    EXPECT_EQ(run.exit_code, 0) << run.output << run.errors;
  }
}

class NamedTargets : public testing::TestWithParam<const char*> {};

TEST_P(NamedTargets, AreAtTheSecondAddress) {
  OtherServer server(GetParam());
  if (!server.is_installed()) GTEST_SKIP() << server.remedy();
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  Arguments arguments = server.flags();
  for (const char* more : {"--host", "several.test"}) arguments.push_back(more);
  arguments.insert(arguments.end(), kShort.begin(), kShort.end());
  Process chatbench = start_with_names(arguments);
  const BenchRun run = finish(chatbench);
  EXPECT_EQ(run.exit_code, 0) << run.output << run.errors;
}

INSTANTIATE_TEST_SUITE_P(All, NamedTargets,
                         testing::Values("naive", "lower-bound", "redis", "nats", "mosquitto"),
                         [](const auto& test) { return test_name(test.param); });

TEST(Names, NobodyIsAtAnyOfThem) {
  Process chatbench = start_with_names({"--host", "several.test", "--tcp-port", "1"});
  const BenchRun run = finish(chatbench);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.errors, HasSubstr("127.0.0.9:1: Connection refused; 127.0.0.1:1: Connection "
                                    "refused (is chatd running there?)"));
}

// The first signal, long before the name servers are given up.
TEST(Names, ASignalEndsALookup) {
  for (const char* target : {"chatd", "naive", "redis"}) {
    Process chatbench = start_with_names({"--host", "hanging.test", "--target", target});
    // It is asleep in the lookup once a second thread is there.
    ASSERT_TRUE(wait_until([&chatbench] { return threads_of(chatbench.pid()) == 2; }));
    chatbench.kill(SIGINT);
    const BenchRun run = finish(chatbench);
    EXPECT_EQ(run.exit_code, 1) << target;
    EXPECT_THAT(run.errors, HasSubstr("interrupted")) << target;
  }
}

TEST(Names, ALookupHasAnEnd) {
  Process chatbench = start_with_names({"--host", "hanging.test"});
  const BenchRun run = finish(chatbench);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.errors, HasSubstr("the name servers do not answer in time"));
}

}  // namespace
}  // namespace chatd::test
