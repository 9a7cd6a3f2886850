// chatd started in bad company: no room for its log, nobody who reads it, streams that are closed,
// too little memory. The session does not notice, or there is a plain word at the start.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/support/chatd_server.h"
#include "tests/support/die.h"
#include "tests/support/member.h"
#include "tests/support/process_figures.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr char kProgramVariable[] = "CHATD_TEST_PROGRAM";

class Streams : public testing::Test {
 protected:
  Streams() : folder_(std::filesystem::temp_directory_path() / "chatd-streams-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) die("mkdtemp");
  }
  ~Streams() override {
    ::unsetenv(kProgramVariable);
    std::filesystem::remove_all(folder_);
  }

  std::string path(const char* name) const { return folder_ + "/" + name; }

  // From now on chatd is started by a shell, after `before` and with these redirections.
  void start_with(const std::string& redirections, const std::string& before = "") {
    const std::string program = ChatdServer::program();
    const std::string script = path("chatd");
    std::ofstream(script) << "#!/bin/sh\n"
                          << before << "\nexec '" << program << "' \"$@\" " << redirections << "\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    ::setenv(kProgramVariable, script.c_str(), 1);
  }

  // Makes chatd log something: it runs out of descriptors, and gets some again. A session in
  // between shows that it has seen the connections that have to wait.
  static void provoke_a_line(const ChatdServer& server) {
    auto room = make_room(server, "witnesses", {"carol", "dave"});
    ASSERT_EQ(room.size(), 2U);
    const pid_t pid = server.pid();
    const std::uint64_t limit = soft_open_files_limit(pid);
    const std::size_t open = open_descriptors(pid);
    set_soft_open_files_limit(pid, open);
    TcpPeer waiting(server.tcp());
    TcpPeer other(server.tcp());
    EXPECT_TRUE(all_is_heard(room));
    set_soft_open_files_limit(pid, limit);
    // In the backlog or already refused a descriptor: either way it is answered now.
    EXPECT_TRUE(waiting.read_greeting());
    EXPECT_TRUE(other.read_greeting());
    room[0].leave();
    EXPECT_TRUE(room[1].hears_left("carol"));
    EXPECT_TRUE(room[1].hears_own_removal());
  }

  static void expect_conversation(ChatdServer& server) {
    ASSERT_TRUE(server.ready()) << server.diagnosis();
    auto room = make_room(server, "room", {"alice", "bob"});
    ASSERT_EQ(room.size(), 2U);
    EXPECT_TRUE(all_is_heard(room));
    provoke_a_line(server);
    EXPECT_TRUE(all_is_heard(room));
  }

  static void expect_clean_stop(ChatdServer& server) {
    server.process().kill(SIGTERM);
    const auto status = server.process().wait_exit();
    ASSERT_TRUE(status) << "it does not stop";
    EXPECT_EQ(status->code, 0);
  }

 private:
  std::string folder_;
};

TEST_F(Streams, ALogOnAFullDiskCostsItsLines) {
  start_with("2>/dev/full");
  ChatdServer server;
  expect_conversation(server);
  expect_clean_stop(server);
}

TEST_F(Streams, ALogThatMayNotGrowCostsItsLines) {
  start_with("2>" + path("log"), "ulimit -f 0");
  ChatdServer server;
  expect_conversation(server);
  expect_clean_stop(server);
}

TEST_F(Streams, AReaderThatGoesTakesNobodyAlong) {
  ASSERT_EQ(::mkfifo(path("log").c_str(), 0600), 0);
  UniqueFd reader(::open(path("log").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  start_with("2>" + path("log"));
  ChatdServer server;
  ASSERT_TRUE(server.ready());
  reader.reset();
  expect_conversation(server);
  expect_clean_stop(server);
}

TEST_F(Streams, AReaderThatStopsReadingHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo(path("log").c_str(), 0600), 0);
  const UniqueFd log(::open(path("log").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  start_with("2>" + path("log"));
  ChatdServer server;
  ASSERT_TRUE(server.ready());
  const std::string filling(4096, '.');
  while (::write(log.get(), filling.data(), filling.size()) > 0) {
  }
  ASSERT_NO_FATAL_FAILURE(expect_conversation(server));
  // When it is read again, it says what is missing.
  std::string text;
  std::string bytes(65536, '\0');
  for (ssize_t count = 0; (count = ::read(log.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  provoke_a_line(server);
  expect_clean_stop(server);
  for (ssize_t count = 0; (count = ::read(log.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  EXPECT_NE(text.find("log lines are missing here"), std::string::npos);
}

TEST_F(Streams, NoSocketTakesThePlaceOfAClosedOne) {
  start_with("<&- 2>&-");
  ChatdServer server;
  ASSERT_TRUE(server.ready());
  for (const char* stream : {"0", "2"}) {
    EXPECT_EQ(
        std::filesystem::read_symlink("/proc/" + std::to_string(server.pid()) + "/fd/" + stream),
        "/dev/null");
  }
  expect_conversation(server);
  expect_clean_stop(server);
}

TEST_F(Streams, NorOfTheOneForTheReadyLine) {
  start_with(">&-");
  Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"});
  ASSERT_TRUE(chatd.wait_for_line(Stream::kStderr, "serving: "));
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(chatd.pid()) + "/fd/1"),
            "/dev/null");
  chatd.kill(SIGTERM);
  const auto status = chatd.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
}

TEST_F(Streams, AReadyLineThatCannotBeWrittenIsLogged) {
  start_with(">/dev/full");
  Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"});
  EXPECT_TRUE(chatd.wait_for_line(Stream::kStderr, "the ready line cannot be written"));
  ASSERT_TRUE(chatd.wait_for_line(Stream::kStderr, "serving: "));
  chatd.kill(SIGTERM);
  const auto status = chatd.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
}

// From far too little to enough, in steps of 16 MiB: it explains itself, or serves.
TEST_F(Streams, TooLittleMemoryIsExplained) {
  int explained = 0;
  bool has_served = false;
  constexpr int kStepMib = 16;
  for (int mib = 32; mib <= 1024 && !has_served; mib += kStepMib) {
    SCOPED_TRACE(std::to_string(mib) + " MiB of addresses");
    ::unsetenv(kProgramVariable);
    start_with("", "ulimit -v " + std::to_string(mib * 1024));
    Process chatd(
        {ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"});
    has_served = chatd.wait_for_line(Stream::kStdout, "chatd ready").has_value();
    chatd.kill(SIGTERM);
    const auto status = chatd.wait_exit();
    ASSERT_TRUE(status);
    ASSERT_EQ(status->signal, 0) << chatd.captured(Stream::kStderr);
    if (has_served) {
      EXPECT_EQ(status->code, 0) << chatd.captured(Stream::kStderr);
    } else {
      EXPECT_EQ(status->code, 1);
      EXPECT_NE(chatd.captured(Stream::kStderr).find("memory"), std::string::npos)
          << chatd.captured(Stream::kStderr);
      ++explained;
    }
  }
  EXPECT_TRUE(has_served);
  EXPECT_GT(explained, 0);
}

}  // namespace
}  // namespace chatd::test
