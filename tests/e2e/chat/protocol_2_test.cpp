// What `chat` does with protocol 2 alone: certificates, a way back into the room, and lines of
// which one knows whether they have arrived.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/e2e/chat/terminal_kit.h"
#include "tests/support/tls_peer.h"

namespace chatd::test {
namespace {

class ChatV2 : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  static bool entered(Process& chat) {
    return chat.wait_for_line(Stream::kStderr, "you are in").has_value();
  }
  Process create(const std::string& name, Arguments flags = {}) {
    flags.insert(flags.begin(), {"create", "kitchen", "--name", name});
    return start_chat(server_, flags);
  }
  Process join(const std::string& name, Arguments flags = {}) {
    flags.insert(flags.begin(), {"join", "kitchen", "--name", name});
    return start_chat(server_, flags);
  }

  ChatdServer server_;
};

TEST_F(ChatV2, SaysWhichProtocolItSpeaks) {
  Process alice = create("alice");
  EXPECT_TRUE(alice.wait_for_line(Stream::kStderr, "you are in kitchen as alice (protocol 2)"));
  Process bob = join("bob", {"--v1"});
  EXPECT_TRUE(bob.wait_for_line(Stream::kStderr, "you are in kitchen as bob (protocol 1)"));
}

TEST_F(ChatV2, ThePortWithoutTlsIsToldFromTheOneWithIt) {
  const std::string plain = server_.tcp().to_string();
  Process wrong({CHAT_PROGRAM, "rooms", "--server", plain}, chat_options());
  EXPECT_EQ(exit_code_of(wrong), 3);
  EXPECT_NE(told(wrong).find(plain + " is chatd's port without TLS"), std::string::npos)
      << told(wrong);
  EXPECT_NE(told(wrong).find("or --v1"), std::string::npos) << told(wrong);
  // An old command line, and --v1 with the other port.
  Process old(
      {CHAT_PROGRAM, "join", "kitchen", "--name", "bob", "--tcp-port",
       std::to_string(server_.tcp().port()), "--udp-port", std::to_string(server_.udp().port())},
      chat_options());
  EXPECT_EQ(exit_code_of(old), 3);
  EXPECT_NE(told(old).find("or --v1"), std::string::npos) << told(old);
  Process v1({CHAT_PROGRAM, "rooms", "--v1", "--server", server_.tls().to_string()},
             chat_options());
  EXPECT_EQ(exit_code_of(v1), 4);
  EXPECT_NE(told(v1).find("clients without TLS go to port " + std::to_string(server_.tcp().port())),
            std::string::npos)
      << told(v1);
}

TEST_F(ChatV2, APinIsKept) {
  const std::string right = "sha256:" + TlsPeer(server_.tls()).fingerprint();
  Process good = start_chat(server_, {"rooms", "--pin", right});
  EXPECT_EQ(exit_code_of(good), 0) << told(good);
  std::string wrong = right;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  Process bad = start_chat(server_, {"rooms", "--pin", wrong});
  EXPECT_EQ(exit_code_of(bad), 8);
  EXPECT_NE(told(bad).find("now:   " + right), std::string::npos) << told(bad);
  Process none = start_chat(server_, {"rooms", "--pin", "sha256:12"});
  EXPECT_EQ(exit_code_of(none), 2);
  Process v1 = start_chat(server_, {"rooms", "--pin", right, "--v1"});
  EXPECT_EQ(exit_code_of(v1), 2);
}

// What the server does not take is told, by line; the rest arrives.
TEST_F(ChatV2, LinesThatAreRefusedAreTold) {
  ChatdServer strict({"--max-member-messages", "1"});
  ASSERT_TRUE(strict.ready()) << strict.diagnosis();
  Process alice = start_chat(strict, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(entered(alice));
  std::string text;
  // A slow machine must not earn the last one back: one message a second may be said.
  for (int i = 0; i < 100; ++i) text += "line\n";
  alice.write_stdin(text + "esc\x1b\n\n");
  alice.close_stdin();
  EXPECT_EQ(exit_code_of(alice), 7);
  EXPECT_NE(told(alice).find("line 100 not sent: you say more than you may"), std::string::npos)
      << told(alice);
  EXPECT_NE(told(alice).find("line 101 not sent: it contains a control character"),
            std::string::npos)
      << told(alice);
  EXPECT_EQ(told(alice).find("line 102"), std::string::npos) << told(alice);
}

// It waits for its lines to arrive, but not for ever.
TEST_F(ChatV2, WhatHasNotArrivedIsToldAtTheEnd) {
  Process alice = create("alice");
  ASSERT_TRUE(entered(alice));
  alice.write_stdin("one\n");
  Process bob = join("bob");
  ASSERT_TRUE(bob.wait_for_line(Stream::kStderr, "you are in"));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(is_stopped(server_.process()));
  alice.write_stdin("two\nthree\n");
  alice.close_stdin();
  EXPECT_EQ(exit_code_of(alice), 3);
  EXPECT_NE(told(alice).find("2 lines may not have arrived; the first is line 2"),
            std::string::npos)
      << told(alice);
  server_.process().kill(SIGCONT);
}

TEST_F(ChatV2, WhatIsSaidWhileTheServerStandsStillArrives) {
  Process alice = create("alice");
  ASSERT_TRUE(entered(alice));
  Process bob = join("bob");
  ASSERT_TRUE(entered(bob));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(is_stopped(server_.process()));
  alice.write_stdin("one\ntwo\n");
  alice.close_stdin();
  EXPECT_FALSE(alice.wait_exit(std::chrono::milliseconds(500)));
  server_.process().kill(SIGCONT);
  EXPECT_EQ(bob.read_line(Stream::kStdout), "alice: one");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "alice: two");
  EXPECT_EQ(exit_code_of(alice), 0) << told(alice);
}

TEST_F(ChatV2, LinesAreMoreThanTheServerTakesAtOnce) {
  Process alice = create("alice");
  ASSERT_TRUE(entered(alice));
  Process bob = join("bob");
  ASSERT_TRUE(entered(bob));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(is_stopped(server_.process()));
  std::string text;
  constexpr int kLines = 600;  // and more than `chat` keeps
  for (int i = 0; i < kLines; ++i) text += std::to_string(i) + "\n";
  alice.write_stdin(text);
  alice.close_stdin();
  EXPECT_FALSE(alice.wait_exit(std::chrono::milliseconds(1'500)));
  server_.process().kill(SIGCONT);
  for (int i = 0; i < kLines; ++i) {
    ASSERT_EQ(bob.read_line(Stream::kStdout), "alice: " + std::to_string(i));
  }
  EXPECT_EQ(exit_code_of(alice), 0) << told(alice);
}

// The room begins anew: its host creates it, and the other joins, and nothing is lost that was said
// meanwhile.
TEST_F(ChatV2, ARestartOfTheServerIsSurvived) {
  Process alice = create("alice", {"--heartbeat", "500ms"});
  ASSERT_TRUE(entered(alice));
  Process bob = join("bob", {"--heartbeat", "500ms"});
  ASSERT_TRUE(entered(bob));
  alice.write_stdin("before\n");
  EXPECT_EQ(bob.read_line(Stream::kStdout), "alice: before");
  server_.process().kill(SIGKILL);
  ASSERT_TRUE(server_.process().wait_exit().has_value());
  alice.write_stdin("meanwhile\n");
  EXPECT_TRUE(alice.wait_for_line(Stream::kStderr, "asking again")) << told(alice);
  Process afresh({ChatdServer::program(), "--tcp-port", std::to_string(server_.tcp().port()),
                  "--udp-port", std::to_string(server_.udp().port()), "--tls-port",
                  std::to_string(server_.tls().port())});
  EXPECT_TRUE(alice.wait_for_line(Stream::kStderr, "you are back in the room")) << told(alice);
  EXPECT_TRUE(bob.wait_for_line(Stream::kStderr, "you are back in the room")) << told(bob);
  bob.write_stdin("are you there?\n");
  EXPECT_TRUE(alice.wait_for_line(Stream::kStdout, "bob: are you there?"));
  alice.write_stdin("yes\n");
  EXPECT_TRUE(bob.wait_for_line(Stream::kStdout, "alice: yes"));
}

TEST_F(ChatV2, AServerThatStaysAwayIsTheEnd) {
  ChatdServer impatient({"--idle-timeout", "2s"});
  ASSERT_TRUE(impatient.ready()) << impatient.diagnosis();
  Process chat = start_chat(impatient, {"create", "kitchen", "--name", "alice"});
  ASSERT_TRUE(entered(chat));
  impatient.process().kill(SIGKILL);
  ASSERT_TRUE(impatient.process().wait_exit().has_value());
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("Connection refused"), std::string::npos) << told(chat);
}

TEST_F(ChatV2, LeavingIsHeardAtOnce) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process bob = join("bob");
  ASSERT_TRUE(alice->hears_joined("bob"));
  bob.write_stdin("bye\n");
  bob.close_stdin();
  EXPECT_TRUE(alice->hears(said("bob", "bye")));
  EXPECT_TRUE(alice->hears_left("bob"));
  EXPECT_EQ(exit_code_of(bob), 0);
}

// In a pipeline nothing is read that was said before.
TEST_F(ChatV2, APipelineHasNoHistory) {
  Process alice = create("alice");
  ASSERT_TRUE(entered(alice));
  alice.write_stdin("before\n");
  Process bob = join("bob", {"--count", "1"});
  ASSERT_TRUE(entered(bob));
  ASSERT_TRUE(alice.wait_for_line(Stream::kStdout, "* bob joined"));
  alice.write_stdin("after\n");
  EXPECT_EQ(exit_code_of(bob), 0);
  EXPECT_EQ(bob.captured(Stream::kStdout), "alice: after\n");
}

class ChatV2Terminal : public ChatTerminal {};

TEST_F(ChatV2Terminal, WhatWasSaidBeforeIsShownAsSuch) {
  Process carol = start_chat(server_, {"create", "den", "--name", "carol"});
  ASSERT_TRUE(carol.wait_for_line(Stream::kStderr, "you are in"));
  carol.write_stdin("one\ntwo\n");
  Process dave = start_chat(server_, {"join", "den", "--name", "dave"});
  ASSERT_TRUE(carol.wait_for_line(Stream::kStdout, "* dave joined"));
  carol.write_stdin("three\n");
  ASSERT_TRUE(dave.wait_for_line(Stream::kStdout, "carol: three"));
  TerminalChat alice(server_, {"join", "den", "--name", "alice"});
  EXPECT_TRUE(
      alice.shows("--:-- carol: one\n--:-- carol: two\n--:-- carol: three\n"
                  "That was said before you came.\nalice>"))
      << alice.screen().text();
  carol.write_stdin("four\n");
  EXPECT_TRUE(alice.shows(" carol: four\nalice>")) << alice.screen().text();
  EXPECT_EQ(alice.screen().text().find("--:-- carol: four"), std::string::npos);
}

TEST_F(ChatV2Terminal, WhatIsOnItsWayStandsAboveTheLine) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(is_stopped(server_.process()));
  alice.type_line("hello");
  alice.type("half");
  EXPECT_TRUE(alice.shows("\n  ... alice: hello\nalice> half\n")) << alice.screen().text();
  for (int i = 0; i < 6; ++i) alice.type_line(std::to_string(i));
  EXPECT_TRUE(alice.shows("  ... alice: 2\n  ... and 3 more\nalice>")) << alice.screen().text();
  alice.type("more");
  server_.process().kill(SIGCONT);
  EXPECT_TRUE(alice.shows(" alice: 5\nalice> more\n")) << alice.screen().text();
  EXPECT_EQ(alice.screen().text().find("..."), std::string::npos) << alice.screen().text();
  for (const char* const line : {"hello", "half0", "1", "2", "3", "4", "5"}) {
    EXPECT_TRUE(bob_->hears(said("alice", line)));
  }
}

TEST_F(ChatV2Terminal, WhatDidNotArriveIsToldWhenLeaving) {
  TerminalChat alice(server_, join());
  ASSERT_TRUE(at_prompt(alice));
  server_.process().kill(SIGSTOP);
  ASSERT_TRUE(is_stopped(server_.process()));
  alice.type_line("hello");
  ASSERT_TRUE(alice.shows("  ... alice: hello\n"));
  alice.type_line("/quit");
  EXPECT_EQ(exit_code_of(alice.process()), 0);
  EXPECT_TRUE(alice.shows("You left kitchen.\n1 line of yours may not have arrived."))
      << alice.screen().text();
  server_.process().kill(SIGCONT);
}

TEST_F(ChatV2Terminal, ALineThatIsRefusedIsTold) {
  ChatdServer strict({"--max-member-messages", "1"});
  ASSERT_TRUE(strict.ready()) << strict.diagnosis();
  TerminalChat alice(strict, {"create", "den", "--name", "alice"});
  ASSERT_TRUE(alice.shows_typed("alice>"));
  for (int i = 0; i < 5; ++i) alice.type_line("line " + std::to_string(i));
  EXPECT_TRUE(alice.shows("Your message was not sent: you say more than you may: \"line 4\"\n"))
      << alice.screen().text();
  EXPECT_TRUE(alice.shows([](const Screen& screen) {
    return screen.text().find("...") == std::string::npos;
  })) << alice.screen().text();
}

}  // namespace
}  // namespace chatd::test
