// `chat --room-key`: who reads what is said under it, and that the server does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/chat/terminal_kit.h"

namespace chatd::test {
namespace {

constexpr const char* kKey = "correct horse battery staple";

class ChatV2RoomKey : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  Process start(const char* task, const std::string& name, const Arguments& flags,
                const Environment& environment = {}) {
    Arguments arguments{task, "kitchen", "--name", name};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return start_chat(server_, arguments, environment);
  }
  static bool entered(Process& chat) {
    return chat.wait_for_line(Stream::kStderr, "you are in").has_value();
  }

  ChatdServer server_;
};

// Whether these bytes are anywhere in what this process can write to.
bool has_in_memory(pid_t pid, std::string_view wanted) {
  const std::string directory = "/proc/" + std::to_string(pid);
  std::ifstream maps(directory + "/maps");
  std::ifstream memory(directory + "/mem", std::ios::binary);
  EXPECT_TRUE(maps && memory) << directory;
  const std::boyer_moore_horspool_searcher searcher(wanted.begin(), wanted.end());
  for (std::string line; std::getline(maps, line);) {
    // "7f0c3a000000-7f0c3a021000 rw-p …"
    char* rest = nullptr;
    const unsigned long begin = std::strtoul(line.c_str(), &rest, 16);
    const unsigned long end = std::strtoul(rest + 1, &rest, 16);
    if (!std::string_view(rest).starts_with(" rw")) continue;
    std::vector<char> bytes(end - begin);
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto read_end = bytes.begin() + memory.gcount();
    if (std::search(bytes.begin(), read_end, searcher) != read_end) return true;
  }
  return false;
}

// What is said without a key is found, which shows that the look is one.
TEST_F(ChatV2RoomKey, IsNotInTheServersMemory) {
  if (CHATD_SANITIZED) GTEST_SKIP() << "a sanitizer's memory is terabytes of its own";
  Process alice = start("create", "alice", {"--room-key", kKey, "--history", "10"});
  ASSERT_TRUE(entered(alice));
  Process bob = start("join", "bob", {}, {{"CHAT_ROOM_KEY", kKey}});
  ASSERT_TRUE(entered(bob));
  alice.write_stdin("the-spare-keys-are-under-the-mat\n");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "alice: the-spare-keys-are-under-the-mat");
  Process carol = start("join", "carol", {});
  ASSERT_TRUE(entered(carol));
  carol.write_stdin("there-is-tea-for-everybody-here\n");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "* carol joined");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "(not sealed) carol: there-is-tea-for-everybody-here");
  EXPECT_TRUE(has_in_memory(server_.serving_pid(), "there-is-tea-for-everybody-here"));
  EXPECT_FALSE(has_in_memory(server_.serving_pid(), "the-spare-keys-are-under-the-mat"));
  EXPECT_FALSE(has_in_memory(server_.serving_pid(), kKey));
}

TEST_F(ChatV2RoomKey, WhoHasAnotherOrNoneIsTold) {
  Process alice = start("create", "alice", {"--room-key", kKey});
  ASSERT_TRUE(entered(alice));
  Process bob = start("join", "bob", {"--room-key", "Tr0ub4dor&3"});
  ASSERT_TRUE(entered(bob));
  Process carol = start("join", "carol", {"--json"});
  ASSERT_TRUE(carol.wait_for_line(Stream::kStdout, "\"ready\""));
  alice.write_stdin("hello\n");
  EXPECT_TRUE(bob.wait_for_line(Stream::kStderr,
                                "alice has said something that you cannot read: it is sealed under "
                                "another room key"));
  EXPECT_TRUE(carol.wait_for_line(Stream::kStdout,
                                  R"({"type":"unreadable","sender":"alice","message":)"
                                  R"("it is sealed under a room key, and none is given"})"));
}

TEST_F(ChatV2RoomKey, ProgramsAreToldWhatIsSealed) {
  Process alice = start("create", "alice", {"--room-key", kKey, "--json"});
  ASSERT_TRUE(alice.wait_for_line(Stream::kStdout, "\"ready\""));
  Process bob = start("join", "bob", {"--room-key", kKey});
  ASSERT_TRUE(entered(bob));
  Process carol = start("join", "carol", {"--v1"});
  ASSERT_TRUE(entered(carol));
  bob.write_stdin("hello\n");
  EXPECT_TRUE(alice.wait_for_line(
      Stream::kStdout, R"({"type":"message","sender":"bob","message":"hello","sealed":true})"));
  carol.write_stdin("tea?\n");
  EXPECT_TRUE(alice.wait_for_line(
      Stream::kStdout, R"({"type":"message","sender":"carol","message":"tea?","sealed":false})"));
}

TEST_F(ChatV2RoomKey, MakesTheLongestLineShorter) {
  Process alice = start("create", "alice", {"--room-key", kKey});
  ASSERT_TRUE(entered(alice));
  alice.write_stdin(std::string(1'060, 'x') + "\n" + std::string(90'000, 'x') + "\n");
  alice.close_stdin();
  EXPECT_EQ(exit_code_of(alice), 7);
  EXPECT_NE(told(alice).find("line 1 not sent: it is too long by 1 byte (a message has 1059 "
                             "at most)"),
            std::string::npos)
      << told(alice);
  EXPECT_NE(told(alice).find("line 2 not sent: it is 90000 bytes long (a message has 1059 bytes at "
                             "most)"),
            std::string::npos)
      << told(alice);
}

TEST_F(ChatV2RoomKey, IsAskedForOnATerminalAndNotShown) {
  Process bob = start("create", "bob", {"--room-key", kKey});
  ASSERT_TRUE(entered(bob));
  TerminalChat alice(server_, {"join", "kitchen", "--name", "alice", "--room-key", "-"});
  ASSERT_TRUE(alice.shows_typed("The room's key:"));
  alice.type(std::string(kKey) + "\n");
  ASSERT_TRUE(alice.shows("Protocol 2, encrypted, from the server as well"));
  alice.type_line("hello");
  EXPECT_TRUE(bob.wait_for_line(Stream::kStdout, "alice: hello"));
  EXPECT_TRUE(alice.shows("alice: hello\nalice>")) << alice.screen().text();
  bob.write_stdin("hello yourself\n");
  EXPECT_TRUE(alice.shows("bob: hello yourself"));
  EXPECT_EQ(alice.bytes().find(kKey), std::string::npos);
  alice.type_line("/quit");
  EXPECT_EQ(exit_code_of(alice.process()), 0);
}

TEST_F(ChatV2RoomKey, NobodyIsAskedWithoutATerminal) {
  Process alice = start("create", "alice", {"--room-key", "-"});
  EXPECT_EQ(exit_code_of(alice), 2);
  EXPECT_NE(told(alice).find("say it in CHAT_ROOM_KEY"), std::string::npos) << told(alice);
}

}  // namespace
}  // namespace chatd::test
