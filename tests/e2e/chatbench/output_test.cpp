// What cannot be written is told, and is no success: every way in which chatbench says something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/e2e/chatbench/chatbench_program.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

// chatbench with a redirection of the shell's.
BenchRun run_redirected(const std::string& how, const Arguments& arguments) {
  Arguments command{"/bin/sh", "-c", "exec \"$0\" \"$@\" " + how, CHATBENCH_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  process.close_stdin();
  return finish(process);
}

class Output : public testing::Test {
 protected:
  Output() : folder_(testing::TempDir() + "chatbench-output-" + std::to_string(::getpid())) {}
  ~Output() override {
    std::remove(json().c_str());
    std::remove((folder_ + ".html").c_str());
  }
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  std::string json() const { return folder_ + ".json"; }
  Arguments short_run(const Arguments& more) const {
    Arguments arguments{"--rooms", "1", "--members", "2", "--rate", "100", "--duration", "100ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_against(server_, arguments);
  }
  Arguments comparison() {
    const BenchRun run = run_chatbench(short_run({"--json", json()}));
    EXPECT_EQ(run.exit_code, 0) << run.errors;
    return {"compare", json(), json()};
  }

  std::string folder_;
  ChatdServer server_;
};

// As nohup and a shell's background jobs start it.
TEST_F(Output, ASignalThatWasIgnoredAtTheStartStaysIgnored) {
  Arguments command{CHATBENCH_PROGRAM};
  const Arguments arguments = short_run({"--duration", "3s"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process chatbench(command, {.ignored_signals = {SIGINT, SIGTERM}, .on_terminal = true});
  ASSERT_TRUE(chatbench.wait_for_text(Stream::kStdout, "1/3 s: "))
      << chatbench.captured(Stream::kStdout);
  chatbench.kill(SIGINT);
  chatbench.kill(SIGTERM);
  const BenchRun run = finish(chatbench);
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, testing::Not(HasSubstr("interrupted")));
}

TEST_F(Output, AFullDiskIsAFailure) {
  for (const Arguments& arguments :
       {Arguments{"--help"}, Arguments{"--version"}, Arguments{"run", "--help"},
        Arguments{"compare", "--help"}, comparison(), short_run({}), short_run({"--json", "-"})}) {
    const BenchRun run = run_redirected(">/dev/full", arguments);
    EXPECT_EQ(run.exit_code, 1) << testing::PrintToString(arguments);
    EXPECT_THAT(run.errors, HasSubstr("chatbench: stdout cannot be written: No space left"));
  }
  for (const char* flag : {"--json", "--html"}) {
    const BenchRun run = run_chatbench(short_run({flag, "/dev/full"}));
    EXPECT_EQ(run.exit_code, 1) << flag;
    EXPECT_THAT(run.errors, HasSubstr("cannot write /dev/full: No space left"));
  }
}

TEST_F(Output, SoItIsForTheBareRelays) {
  for (const char* program : {CHATD_NAIVE_PROGRAM, CHATD_LOWER_BOUND_PROGRAM}) {
    Process process({"/bin/sh", "-c", "exec \"$0\" --help >/dev/full", program});
    EXPECT_EQ(finish(process).exit_code, 1) << program;
  }
}

TEST_F(Output, AClosedStdoutIsAFailure) {
  for (const Arguments& arguments :
       {Arguments{"--help"}, comparison(), short_run({}), short_run({"--json", "-"})}) {
    const BenchRun run = run_redirected(">&-", arguments);
    EXPECT_EQ(run.exit_code, 1) << testing::PrintToString(arguments);
    EXPECT_THAT(run.errors, HasSubstr("stdout cannot be written: Bad file descriptor"));
  }
}

TEST_F(Output, AFileThatMayNotGrowIsAFailure) {
  Arguments command{"/bin/sh", "-c", "ulimit -f 1; exec \"$0\" \"$@\"", CHATBENCH_PROGRAM};
  const Arguments run = short_run({"--json", json()});
  command.insert(command.end(), run.begin(), run.end());
  Process process(command);
  const BenchRun done = finish(process);
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.errors, HasSubstr("cannot write " + json() + ": File too large"));
}

// A reader that has seen enough ends it, as it does any program.
TEST_F(Output, NobodyReads) {
  Arguments command{"/bin/bash",       "-c",  "set -o pipefail; \"$0\" \"$@\" | exec true",
                    CHATBENCH_PROGRAM, "run", "--help"};
  Process process(command);
  EXPECT_NE(finish(process).exit_code, -2);
}

TEST_F(Output, TheWordsOfAFileDoNothingToATerminal) {
  const Arguments compare = comparison();
  std::ostringstream text;
  text << std::ifstream(json()).rdbuf();
  std::string changed = text.str();
  const std::string key = "\"kernel\": \"";
  changed.replace(changed.find(key), key.size(), key + "\\u001b]0;owned\\u0007");
  std::ofstream(folder_ + ".html") << changed;
  const BenchRun run = run_chatbench({"compare", json(), folder_ + ".html"});
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("^[]0;owned"));
  EXPECT_EQ(run.output.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace chatd::test
