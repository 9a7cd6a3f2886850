// The kit's own test: what Process promises, against the shell.
#include "tests/support/process.h"

#include <gtest/gtest.h>

#include <csignal>

namespace chatd::test {
namespace {

Process shell(const char* script, ProcessOptions options = {}) {
  return Process({"/bin/sh", "-c", script}, std::move(options));
}

TEST(Process, CapturesBothStreamsAndTheExitCode) {
  Process process = shell("echo out; echo err >&2; exit 3");
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 3);
  EXPECT_EQ(process.captured(Stream::kStdout), "out\n");
  EXPECT_EQ(process.captured(Stream::kStderr), "err\n");
}

TEST(Process, TellsTheSignalThatEndedIt) {
  Process process = shell("echo ready; exec sleep 60");
  ASSERT_TRUE(process.wait_for_line(Stream::kStdout, "ready"));
  EXPECT_TRUE(process.running());
  process.kill(SIGTERM);
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, -1);
  EXPECT_EQ(status->signal, SIGTERM);
}

TEST(Process, ReadsLinesInOrderAndFindsThemAgain) {
  Process process = shell("read first; echo got $first; read second; echo got $second");
  ASSERT_TRUE(process.write_stdin("one\n"));
  EXPECT_EQ(process.read_line(Stream::kStdout), "got one");
  ASSERT_TRUE(process.write_stdin("two\n"));
  EXPECT_EQ(process.read_line(Stream::kStdout), "got two");
  EXPECT_EQ(process.read_line(Stream::kStdout), std::nullopt);
  EXPECT_EQ(process.wait_for_line(Stream::kStdout, std::regex("^got t")), "got two");
  EXPECT_EQ(process.wait_for_line(Stream::kStdout, "three"), std::nullopt);
}

TEST(Process, EndOfStandardInputReachesTheChild) {
  Process process({"/bin/cat"});
  ASSERT_TRUE(process.write_stdin("text"));
  process.close_stdin();
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  EXPECT_EQ(process.captured(Stream::kStdout), "text");
}

TEST(Process, GivesATerminalWhenAskedTo) {
  Process process = shell("test -t 0 && test -t 1 && test -t 2 && printf 'prompt> '; read line",
                          {.on_terminal = true});
  EXPECT_TRUE(process.wait_for_text(Stream::kStdout, "prompt> "));
  ASSERT_TRUE(process.write_stdin("x\n"));
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
}

TEST(Process, PassesEnvironmentAndDescriptorLimit) {
  Process process = shell("echo $KIT_TEST; ulimit -Sn; ulimit -Hn",
                          {.environment = {{"KIT_TEST", "value"}}, .max_open_files = {{40, 50}}});
  ASSERT_TRUE(process.wait_exit());
  EXPECT_EQ(process.captured(Stream::kStdout), "value\n40\n50\n");
}

TEST(Process, ReportsAProgramThatDoesNotExist) {
  Process process({"/nonexistent/program"});
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 127);
}

}  // namespace
}  // namespace chatd::test
