// `chat` in a pipeline.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/e2e/chat/chat_program.h"
#include "tests/support/json.h"
#include "tests/support/member.h"

namespace chatd::test {
namespace {

class ChatPipe : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  // Ready to hear what others say.
  static bool entered(Process& chat) {
    return chat.wait_for_line(Stream::kStderr, "you are in").has_value();
  }
  Process start_in_shell(const Arguments& arguments, const std::string& redirection) {
    return Process(
        {"/bin/sh", "-c", "exec " + chat_shell_command(server_, arguments) + redirection},
        chat_options());
  }

  ChatdServer server_;
};

TEST_F(ChatPipe, TwoPeopleTalk) {
  Process alice = start_chat(server_, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(entered(alice));
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  ASSERT_TRUE(entered(bob));
  EXPECT_EQ(alice.read_line(Stream::kStdout), "* bob joined");

  alice.write_stdin("hello bob\n");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "alice: hello bob");
  bob.write_stdin("hello \"alice\" \\ wörld 🎉\r\n\nlast, without a line end");
  bob.close_stdin();
  EXPECT_EQ(alice.read_line(Stream::kStdout), "bob: hello \"alice\" \\ wörld 🎉");
  // Protocol 2 has no empty messages.
  if (chat_protocol() == 1) {
    EXPECT_EQ(alice.read_line(Stream::kStdout), "bob: ");
  }
  EXPECT_EQ(alice.read_line(Stream::kStdout), "bob: last, without a line end");
  EXPECT_EQ(alice.read_line(Stream::kStdout), "* bob left");
  EXPECT_EQ(exit_code_of(bob), 0);
  alice.close_stdin();
  EXPECT_EQ(exit_code_of(alice), 0);
}

TEST_F(ChatPipe, EveryLineOfALongInputArrivesInOrder) {
  constexpr int kLines = 1'500;  // more than what chatd lets a member say at once
  auto listener = Member::create(server_, "kitchen", "alice", {.receive_buffer_bytes = 1 << 22});
  ASSERT_TRUE(listener.has_value());
  std::string text;
  for (int i = 0; i < kLines; ++i) text += "line " + std::to_string(i) + "\n";
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  ASSERT_TRUE(listener->hears_joined("bob"));
  bob.write_stdin(text);
  bob.close_stdin();
  for (int i = 0; i < kLines; ++i) {
    ASSERT_TRUE(listener->hears(said("bob", "line " + std::to_string(i))));
  }
  EXPECT_TRUE(listener->hears_left("bob"));
  EXPECT_EQ(exit_code_of(bob), 0);
}

TEST_F(ChatPipe, JsonHasTheDocumentedForm) {
  Process alice = start_chat(server_, {"create", "kitchen", "--name", "alice", "--json"});
  EXPECT_EQ(alice.read_line(Stream::kStdout),
            R"({"type":"ready","room":"kitchen","username":"alice","protocol":)" +
                std::to_string(chat_protocol()) + "}");
  auto bob = Member::join(server_, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  EXPECT_EQ(alice.read_line(Stream::kStdout), R"({"type":"joined","username":"bob"})");
  bob->send_payload(R"({"sender":"bob","message":"a\"b\u001b\u009b\u202e é"})");
  EXPECT_EQ(alice.read_line(Stream::kStdout),
            R"({"type":"message","sender":"bob","message":"a\"b\u001B\u009b\u202e é"})");
  bob->send_payload(R"({"sender":"bob","picture":1})");
  const auto malformed = alice.read_line(Stream::kStdout);
  ASSERT_TRUE(malformed.has_value());
  EXPECT_EQ(JsonObject(*malformed).text("type"), "malformed");
  bob->leave();
  EXPECT_EQ(alice.read_line(Stream::kStdout), R"({"type":"left","username":"bob"})");
  alice.kill(SIGTERM);
  EXPECT_EQ(exit_code_of(alice), 128 + SIGTERM);
}

TEST_F(ChatPipe, ControlCharactersAreHarmless) {
  Process alice = start_chat(server_, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(entered(alice));
  auto bob = Member::join(server_, "kitchen", "b\u202eob");
  ASSERT_TRUE(bob.has_value());
  EXPECT_EQ(alice.read_line(Stream::kStdout), "* b<U+202E>ob joined");
  bob->say("\x1b[2J\x07\x7f two\nlines \u009b31m");
  EXPECT_EQ(alice.read_line(Stream::kStdout), "b<U+202E>ob: ^[[2J^G^? two^Jlines <U+009B>31m");
}

TEST_F(ChatPipe, CountEndsAfterSoManyMessages) {
  Process alice = start_chat(server_, {"create", "kitchen", "--name", "alice", "--count", "2"});
  ASSERT_TRUE(entered(alice));
  alice.close_stdin();  // it listens on all the same
  auto bob = Member::join(server_, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  bob->say("one");
  bob->say("two");
  EXPECT_EQ(exit_code_of(alice), 0);
  EXPECT_EQ(alice.captured(Stream::kStdout), "* bob joined\nbob: one\nbob: two\n");
  // Alice was the host.
  EXPECT_TRUE(bob->hears_left("alice"));
  EXPECT_TRUE(bob->hears_own_removal());
}

TEST_F(ChatPipe, CountStillSendsTheInputFirst) {
  auto bob = Member::create(server_, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  Process alice = start_chat(server_, {"join", "kitchen", "--name", "alice", "--count", "1"});
  ASSERT_TRUE(bob->hears_joined("alice"));
  alice.write_stdin("ping\n");
  EXPECT_TRUE(bob->hears(said("alice", "ping")));
  bob->say("pong");
  EXPECT_EQ(exit_code_of(alice), 0);
  EXPECT_EQ(alice.captured(Stream::kStdout), "bob: pong\n");
}

TEST_F(ChatPipe, TimeoutAloneIsADoneJob) {
  Process alice = start_chat(server_, {"create", "kitchen", "--name", "alice", "--timeout", "2s"});
  alice.close_stdin();
  EXPECT_EQ(exit_code_of(alice), 0);
}

TEST_F(ChatPipe, SignalsLeaveTheRoom) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    auto alice = Member::create(server_, "room" + std::to_string(signal), "alice");
    ASSERT_TRUE(alice.has_value());
    Process bob = start_chat(server_, {"join", alice->room(), "--name", "bob"});
    ASSERT_TRUE(alice->hears_joined("bob"));
    ASSERT_TRUE(entered(bob));
    bob.kill(signal);
    EXPECT_TRUE(alice->hears_left("bob"));
    EXPECT_EQ(exit_code_of(bob), 128 + signal);
  }
}

// What nohup(1) does: the terminal may close, chat goes on.
TEST_F(ChatPipe, ASignalThatItsParentIgnoresDoesNotEndIt) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process bob(
      {"/bin/sh", "-c",
       "trap '' HUP; exec " + chat_shell_command(server_, {"join", "kitchen", "--name", "bob"})});
  ASSERT_TRUE(alice->hears_joined("bob"));
  ASSERT_TRUE(entered(bob));
  bob.kill(SIGHUP);
  alice->say("still there?");
  EXPECT_TRUE(bob.wait_for_line(Stream::kStdout, "alice: still there?").has_value());
  bob.kill(SIGTERM);
  EXPECT_TRUE(alice->hears_left("bob"));
  EXPECT_EQ(exit_code_of(bob), 128 + SIGTERM);
}

TEST_F(ChatPipe, AReaderThatHasSeenEnoughEndsItCleanly) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process shell({"/bin/sh", "-c",
                 "{ " + chat_shell_command(server_, {"join", "kitchen", "--name", "bob"}) +
                     "; echo code=$? >&2; } | head -n 1"});
  ASSERT_TRUE(alice->hears_joined("bob"));
  alice->say("one");
  // `head` ends after one line; chat notices without a second message.
  EXPECT_TRUE(alice->hears_left("bob"));
  EXPECT_TRUE(shell.wait_for_line(Stream::kStderr, "code=0").has_value());
  EXPECT_EQ(shell.read_line(Stream::kStdout), "alice: one");
}

constexpr std::string_view kFullDisk = "chat: stdout cannot be written: No space left on device\n";

TEST_F(ChatPipe, AFullDiskIsAnError) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process shell = start_in_shell({"join", "kitchen", "--name", "bob"}, ">/dev/full");
  ASSERT_TRUE(alice->hears_joined("bob"));
  alice->say("one");
  EXPECT_TRUE(alice->hears_left("bob"));
  EXPECT_EQ(exit_code_of(shell), 1);
  EXPECT_TRUE(shell.captured(Stream::kStderr).ends_with(kFullDisk));
}

// The room is left also when not even the first line can be written.
TEST_F(ChatPipe, AFullDiskIsAnErrorFromTheFirstLineOn) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process shell = start_in_shell({"join", "kitchen", "--name", "bob", "--json"}, ">/dev/full");
  ASSERT_TRUE(alice->hears_joined("bob"));
  EXPECT_TRUE(alice->hears_left("bob"));
  EXPECT_EQ(exit_code_of(shell), 1);
  EXPECT_EQ(shell.captured(Stream::kStderr), kFullDisk);
}

TEST_F(ChatPipe, WhatCannotBeToldIsNoSuccess) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  for (const Arguments& arguments :
       std::vector<Arguments>{{"--help"}, {"join", "--help"}, {"rooms"}, {"rooms", "--json"}}) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    Process full = start_in_shell(arguments, ">/dev/full");
    EXPECT_EQ(exit_code_of(full), 1);
    EXPECT_EQ(full.captured(Stream::kStderr), kFullDisk);
    Process closed = start_in_shell(arguments, ">&-");
    EXPECT_EQ(exit_code_of(closed), 1);
    EXPECT_EQ(closed.captured(Stream::kStderr),
              "chat: stdout cannot be written: Bad file descriptor\n");
  }
}

TEST_F(ChatPipe, LinesThatCannotBeSentAreExplained) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process bob = start_chat(server_, {"join", "kitchen", "--name", "bob"});
  ASSERT_TRUE(alice->hears_joined("bob"));
  bob.write_stdin("caf\xe9\n" + std::string(5'000, 'x') + "\nfine\n");
  bob.close_stdin();
  EXPECT_TRUE(alice->hears(said("bob", "fine")));
  EXPECT_EQ(exit_code_of(bob), 7);
  const std::string& told = bob.captured(Stream::kStderr);
  EXPECT_NE(told.find("line 1 not sent: it is not valid UTF-8"), std::string::npos) << told;
  EXPECT_NE(told.find("line 2 not sent: it is too long"), std::string::npos) << told;
}

TEST_F(ChatPipe, RoomsAreListed) {
  Process none = start_chat(server_, {"rooms"});
  EXPECT_EQ(exit_code_of(none), 0);
  EXPECT_NE(none.captured(Stream::kStdout).find("no rooms"), std::string::npos);

  auto alice = Member::create(server_, "kitchen", "alice");
  auto carol = Member::create(server_, "den", "carol", {.password = "secret"});
  ASSERT_TRUE(alice && carol);
  Process text = start_chat(server_, {"rooms"});
  EXPECT_EQ(exit_code_of(text), 0);
  EXPECT_EQ(text.captured(Stream::kStdout),
            "den  1 person, password: (names hidden: password)\nkitchen  1 person: alice\n");
  Process json = start_chat(server_, {"rooms", "--json"});
  EXPECT_EQ(exit_code_of(json), 0);
  EXPECT_EQ(
      json.captured(Stream::kStdout),
      R"({"type":"room","name":"den","members":[],"count":1,"password_required":true})"
      "\n"
      R"({"type":"room","name":"kitchen","members":["alice"],"count":1,"password_required":false})"
      "\n");
}

TEST_F(ChatPipe, FlagsMayStandBeforeTheCommand) {
  Arguments command = chat_command(server_, {});
  command.insert(command.end(), {"--name", "alice", "create", "kitchen"});
  Process chat(command, chat_options());
  ASSERT_TRUE(entered(chat));
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 0);
}

// "localhost" may be ::1 first, where nobody listens here.
TEST_F(ChatPipe, AHostMayHaveSeveralAddresses) {
  const bool is_v1 = chat_protocol() == 1;
  const std::uint16_t port = is_v1 ? server_.tcp().port() : server_.tls().port();
  Arguments command{CHAT_PROGRAM, "create",     "kitchen",           "--name", "alice", "--host",
                    "localhost",  "--tcp-port", std::to_string(port)};
  if (is_v1) {
    command.insert(command.end(), {"--v1", "--udp-port", std::to_string(server_.udp().port())});
  }
  Process chat(command, chat_options());
  ASSERT_TRUE(entered(chat)) << chat.captured(Stream::kStderr);
}

TEST_F(ChatPipe, TalksOverIpv6) {
  ChatdServer server({"--host", "::1"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  auto bob = Member::create(server, "kitchen", "bob", {.source_ip = "::1"});
  ASSERT_TRUE(bob.has_value());
  Process chat = start_chat(server, {"join", "kitchen", "--name", "alice"});
  ASSERT_TRUE(bob->hears_joined("alice"));
  chat.write_stdin("hi\n");
  EXPECT_TRUE(bob->hears(said("alice", "hi")));
  bob->say("hello");
  EXPECT_EQ(chat.read_line(Stream::kStdout), "bob: hello");
}

TEST_F(ChatPipe, PasswordsComeFromTheFlagOrTheEnvironment) {
  auto alice = Member::create(server_, "kitchen", "alice", {.password = "secret"});
  ASSERT_TRUE(alice.has_value());
  Process flag = start_chat(server_, {"join", "kitchen", "--name", "bob", "--password", "secret"});
  EXPECT_TRUE(entered(flag));
  Process variable =
      start_chat(server_, {"join", "kitchen", "--name", "carol"}, {{"CHAT_PASSWORD", "secret"}});
  EXPECT_TRUE(entered(variable));
}

}  // namespace
}  // namespace chatd::test
