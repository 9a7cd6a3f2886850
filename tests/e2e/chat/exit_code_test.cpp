// Each way in which `chat` can fail: its code, and words that tell why (docs/guide/chat.md).
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/e2e/chat/chat_program.h"
#include "tests/support/member.h"

namespace chatd::test {
namespace {

// What the server says when the host has left.
const std::string_view kRoomEnded =
    chat_protocol() == 1 ? "You have been disconnected" : "the room has been closed";

class ChatExitCode : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  // The end of a `chat` that should be refused.
  void expect_refused(const Arguments& arguments, const std::string& status) {
    Process chat = start_chat(server_, arguments);
    EXPECT_EQ(exit_code_of(chat), 4) << told(chat);
    const std::string start = "chat: the server refused (" + status + "): ";
    EXPECT_EQ(told(chat).substr(0, start.size()), start);
    EXPECT_GT(told(chat).size(), start.size() + 4);  // and why
  }

  ChatdServer server_;
};

TEST_F(ChatExitCode, RefusalsTellStatusAndReason) {
  auto alice = Member::create(server_, "kitchen", "alice");
  auto carol = Member::create(server_, "den", "carol", {.password = "secret"});
  ASSERT_TRUE(alice && carol);
  expect_refused({"join", "nowhere", "--name", "bob"}, "404");
  expect_refused({"join", "kitchen", "--name", "alice"}, "409");
  expect_refused({"create", "kitchen", "--name", "bob"}, "409");
  expect_refused({"join", "den", "--name", "bob"}, "401");
  expect_refused({"join", "den", "--name", "bob", "--password", "wrong"}, "401");
  expect_refused({"create", "other", "--name", "system"}, "400");
}

TEST_F(ChatExitCode, ARefusalNamesTheOtherSpelling) {
  auto alice = Member::create(server_, "Kitchen", "ali\u200bce");
  ASSERT_TRUE(alice.has_value());
  Process room = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  EXPECT_EQ(exit_code_of(room), 4);
  EXPECT_EQ(
      told(room),
      "chat: the server refused (404): no room has exactly this name, but one looks the same: "
      "\"Kitchen\"\n");
  Process name = start_chat(server_, {"join", "Kitchen", "--name", "alice"});
  EXPECT_EQ(exit_code_of(name), 4);
  EXPECT_NE(told(name).find("looks the same is taken in this room: \"ali<U+200B>ce\"\n"),
            std::string::npos)
      << told(name);
}

TEST_F(ChatExitCode, ARefusalInJson) {
  Process chat = start_chat(server_, {"join", "nowhere", "--name", "bob", "--json"});
  EXPECT_EQ(exit_code_of(chat), 4);
  const std::string start = R"({"type":"refused","status":404,"message":")";
  EXPECT_EQ(chat.captured(Stream::kStdout).substr(0, start.size()), start);
}

TEST_F(ChatExitCode, WrongUsage) {
  for (const Arguments& arguments : std::vector<Arguments>{
           {"fly"},
           {"join"},
           {"join", "kitchen"},
           {"join", "kitchen", "--name", ""},
           {"join", "kitchen", "--name", "a\nb"},
           {"join", "kitchen", "--name", "\xff"},
           {"join", "kitchen", "--name", "bob", "--gro", "maybe"},
           {"join", std::string(256, 'x'), "--name", "bob"},
           {"join", "kitchen", "--name", "bob", "--count", "0"},
           {"join", "kitchen", "--name", "bob", "--count", "-1"},
           {"join", "kitchen", "--name", "bob", "--timeout", "soon"},
           {"join", "kitchen", "--name", "bob", "--heartbeat", "0"},
           {"rooms", "--tcp-port", "70000"},
           {},
       }) {
    Process chat = start_chat(server_, arguments);
    EXPECT_EQ(exit_code_of(chat), 2) << told(chat);
    EXPECT_FALSE(told(chat).empty());
  }
}

TEST_F(ChatExitCode, ACountOfNothingIsToldInWords) {
  Process chat = start_chat(server_, {"join", "kitchen", "--name", "bob", "--count", "0"});
  EXPECT_EQ(exit_code_of(chat), 2);
  EXPECT_LT(told(chat).size(), 200u) << told(chat);
  EXPECT_NE(told(chat).find("1 or more"), std::string::npos) << told(chat);
}

TEST_F(ChatExitCode, HelpListsTheCodes) {
  Process chat = start_chat(server_, {"--help"});
  EXPECT_EQ(exit_code_of(chat), 0);
  EXPECT_NE(chat.captured(Stream::kStdout).find("Exit codes"), std::string::npos);
}

TEST_F(ChatExitCode, TheVersionIsASuccess) {
  Process chat = start_chat(server_, {"--version"});
  EXPECT_EQ(exit_code_of(chat), 0);
  EXPECT_EQ(chat.captured(Stream::kStdout), "chat " CHATD_VERSION "\n");
}

TEST_F(ChatExitCode, TimedOutBeforeTheCount) {
  Process chat = start_chat(
      server_, {"create", "kitchen", "--name", "alice", "--count", "1", "--timeout", "2s"});
  EXPECT_EQ(exit_code_of(chat), 6);
  EXPECT_NE(told(chat).find("timed out"), std::string::npos);
}

TEST_F(ChatExitCode, RemovedWhenTheHostLeaves) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process chat = start_chat(server_, {"join", "kitchen", "--name", "bob", "--json"});
  ASSERT_TRUE(alice->hears_joined("bob"));
  chat.write_stdin("here I am\n");
  ASSERT_TRUE(alice->hears(said("bob", "here I am")));  // so the server knows where
  alice->leave();
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find(kRoomEnded), std::string::npos) << told(chat);
  EXPECT_NE(chat.captured(Stream::kStdout)
                .find(R"({"type":"disconnected","message":")" + std::string(kRoomEnded) + "\"}"),
            std::string::npos);
}

TEST_F(ChatExitCode, RemovedWhenTheServerStops) {
  Process chat = start_chat(server_, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(chat.wait_for_line(Stream::kStderr, "you are in").has_value());
  ASSERT_TRUE(server_.stop().has_value());
  EXPECT_EQ(exit_code_of(chat), 5);
}

TEST_F(ChatExitCode, UnreachableWhenTheServerIsGone) {
  Process chat =
      start_chat(server_, {"create", "kitchen", "--name", "alice", "--heartbeat", "50ms", "--v1"});
  ASSERT_TRUE(chat.wait_for_line(Stream::kStderr, "you are in").has_value());
  server_.process().kill(SIGKILL);
  ASSERT_TRUE(server_.process().wait_exit().has_value());
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("server is gone: nothing listens at 127.0.0.1:" +
                            std::to_string(server_.udp().port())),
            std::string::npos)
      << told(chat);

  Process late = start_chat(server_, {"rooms"});
  EXPECT_EQ(exit_code_of(late), 3);
  EXPECT_NE(told(late).find("Connection refused"), std::string::npos);
}

// The server went away unnoticed: nobody has heard the line, and it is not as if somebody had.
TEST_F(ChatExitCode, UnreachableWhenTheLastLineIsRefused) {
  Process chat = start_chat(server_, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(chat.wait_for_line(Stream::kStderr, "you are in").has_value());
  server_.process().kill(SIGKILL);
  ASSERT_TRUE(server_.process().wait_exit().has_value());
  chat.write_stdin("done\n");
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(
      told(chat).find(chat_protocol() == 1 ? "server is gone" : "1 line may not have arrived"),
      std::string::npos)
      << told(chat);
}

TEST_F(ChatExitCode, UnreachableWhenTheNameIsUnknown) {
  Process chat({CHAT_PROGRAM, "rooms", "--host", "no.such.host.invalid"});
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("no.such.host.invalid"), std::string::npos);
}

TEST_F(ChatExitCode, HeartbeatsKeepASilentMember) {
  ChatdServer impatient({"--idle-timeout", "1s"});
  ASSERT_TRUE(impatient.ready()) << impatient.diagnosis();
  Process lively =
      start_chat(impatient, {"create", "kitchen", "--name", "alice", "--heartbeat", "100ms"});
  ASSERT_TRUE(lively.wait_for_line(Stream::kStderr, "you are in").has_value());
  // So would they without the flag: chat keeps to what the server has told.
  Process adapted = start_chat(impatient, {"join", "kitchen", "--name", "carol"});
  ASSERT_TRUE(adapted.wait_for_line(Stream::kStderr, "you are in").has_value());
  // Bob is as silent as they are, came later, and sends no heartbeats.
  auto bob = Member::join(impatient, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  EXPECT_TRUE(bob->hears_own_removal());
  EXPECT_TRUE(adapted.running());
  EXPECT_TRUE(lively.wait_for_line(Stream::kStdout, "* bob left").has_value());
  EXPECT_TRUE(lively.running());
}

}  // namespace
}  // namespace chatd::test
