// The configuration as an operator meets it: the real program with a file, an environment, and
// mistakes in both.
#include <sstream>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/temporary_file.h"

namespace chatd::test {
namespace {

class ConfigFile : public ServerTest {
 protected:
  // A program that only says something and ends.
  static Process run(const std::vector<std::string>& flags, int code,
                     const ProcessOptions& options = {}) {
    std::vector<std::string> line{ChatdServer::program()};
    for (const std::string& flag : flags) line.push_back(flag);
    Process process(std::move(line), options);
    const auto status = process.wait_exit();
    EXPECT_TRUE(status) << "it runs";
    EXPECT_EQ(status ? status->code : -1, code) << process.captured(Stream::kStderr);
    return process;
  }
};

TEST_F(ConfigFile, IsUsed) {
  const TemporaryFile file("[limits]\nmax_room_members = 1\n");
  ASSERT_NO_FATAL_FAILURE(start({"--config", file.path()}));
  TcpPeer first(server().tcp());
  EXPECT_EQ(first.request(create_request("room", "alice")).status(), 201);
  TcpPeer second(server().tcp());
  EXPECT_GE(second.request(join_request("room", "bob")).status(), 400);
}

TEST_F(ConfigFile, AllMistakesAreToldAtOnce) {
  const TemporaryFile file("[limits]\nmax_rooms = -3\nmax_room = 4\n");
  const std::string path = file.path();
  Process process =
      run({"--config", path, "--tcp-port", "x"}, 2, {.environment = {{"CHATD_MAX_ROMS", "1"}}});
  const std::string& errors = process.captured(Stream::kStderr);
  for (const std::string& part :
       {path + ":2:13: limits.max_rooms: '-3'", path + ":3:1: no such key in [limits]: max_room",
        std::string("--tcp-port: 'x'"), std::string("CHATD_MAX_ROMS: no such option")}) {
    EXPECT_NE(errors.find(part), std::string::npos) << part << "\n" << errors;
  }
  EXPECT_EQ(process.captured(Stream::kStdout), "");
}

TEST_F(ConfigFile, CheckingHasNoSideEffects) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string busy = std::to_string(server().tcp().port());
  Process process = run({"--check-config", "--tcp-port", busy}, 0);
  EXPECT_EQ(process.captured(Stream::kStdout), "configuration ok\n");
  EXPECT_EQ(process.captured(Stream::kStderr), "");
}

TEST_F(ConfigFile, CheckingWarnsOfATimeoutThatQuietClientsCannotMeet) {
  Process process = run({"--check-config", "--idle-timeout", "30s"}, 0);
  EXPECT_EQ(process.captured(Stream::kStdout), "configuration ok\n");
  EXPECT_NE(process.captured(Stream::kStderr)
                .find("warning: idle_timeout = 30s (flag --idle-timeout): quiet members"),
            std::string::npos)
      << process.captured(Stream::kStderr);
  Process fine = run({"--check-config", "--idle-timeout", "180s"}, 0);
  EXPECT_EQ(fine.captured(Stream::kStderr), "");
}

// Both by --check-config and in the log of a chatd that serves.
TEST_F(ConfigFile, AnOldNameIsAWarning) {
  const std::string advice = "--limits is deprecated: write --rate-limits";
  Process process = run({"--check-config", "--limits", "off"}, 0);
  EXPECT_EQ(process.captured(Stream::kStderr), "chatd: warning: " + advice + "\n");
  ASSERT_NO_FATAL_FAILURE(start({"--limits", "off"}));
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "warning " + advice))
      << server().process().captured(Stream::kStderr);
}

TEST_F(ConfigFile, CheckingFindsMistakes) {
  const TemporaryFile file("[limits\n");
  Process process = run({"--check-config", "--config", file.path()}, 2);
  EXPECT_NE(process.captured(Stream::kStderr).find("chatd.toml:1:8: "), std::string::npos)
      << process.captured(Stream::kStderr);
  EXPECT_EQ(process.captured(Stream::kStdout), "");
}

TEST_F(ConfigFile, WhatIsPrintedPrintsTheSame) {
  Process first = run({"--print-config", "--rate-limits", "off", "--max-rooms", "7"}, 0,
                      {.environment = {{"CHATD_IDLE_TIMEOUT", "7s"}}});
  const std::string printed = first.captured(Stream::kStdout);
  EXPECT_NE(printed.find("max_rooms = 7  # flag --max-rooms\n"), std::string::npos) << printed;
  EXPECT_NE(printed.find("idle_timeout = \"7s\"  # environment CHATD_IDLE_TIMEOUT\n"),
            std::string::npos)
      << printed;
  const TemporaryFile file(printed);
  Process second = run({"--print-config", "--config", file.path()}, 0);
  const auto without_comments = [](const std::string& text) {
    std::istringstream lines(text);
    std::string rest;
    for (std::string line; std::getline(lines, line);)
      rest += line.substr(0, line.find('#')) + "\n";
    return rest;
  };
  EXPECT_EQ(without_comments(second.captured(Stream::kStdout)), without_comments(printed));
}

// A disk may be full, and then nothing has been told.
TEST_F(ConfigFile, WhatCannotBeWrittenIsNoSuccess) {
  for (const char* flag : {"--help", "--version", "--print-config", "--check-config"}) {
    SCOPED_TRACE(flag);
    Process shell({"/bin/sh", "-c", "exec \"$0\" \"$1\" >/dev/full", ChatdServer::program(), flag});
    const auto status = shell.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 1);
    EXPECT_EQ(shell.captured(Stream::kStderr),
              "chatd: stdout cannot be written: No space left on device\n");
  }
}

}  // namespace
}  // namespace chatd::test
