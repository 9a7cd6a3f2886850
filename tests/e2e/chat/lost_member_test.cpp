// A member that the server has lost, or seems to have lost: it learns it, believes no forged word,
// and finds its seat again.
#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "tests/e2e/chat/impostor.h"
#include "tests/support/json.h"
#include "tests/support/member.h"

namespace chatd::test {
namespace {

constexpr std::string_view kOwnEnd =
    R"({"sender":"system","operation":2,"username":"bob","message":"You have been disconnected"})";

std::string from_server(std::string_view payload) {
  return std::string(2, '\0').append(payload);
}

// What follows room and token.
std::string payload_of(const Datagram& datagram) {
  return datagram.bytes.substr(encode_datagram("kitchen", kToken, "").size());
}

bool is_asking(const Datagram& datagram) {
  return payload_of(datagram).rfind(R"({"heartbeat":")", 0) == 0;
}

class LostMember : public testing::Test {
 protected:
  // A `chat` that has been let in.
  Process let_in(const std::string& answer_to_join, const Arguments& flags = {}) {
    while (impostor_.udp().try_receive()) {  // from the one before
    }
    Process chat = impostor_.start_client(flags);
    const UniqueFd connection = impostor_.accept();
    answer(connection, answer_to_join);
    return chat;
  }
  // The next heartbeat that asks.
  std::optional<Datagram> asked() {
    auto datagram = impostor_.udp().receive();
    while (datagram && !is_asking(*datagram)) {
      datagram = impostor_.udp().receive();
    }
    EXPECT_TRUE(datagram.has_value());
    return datagram;
  }
  // … is answered.
  std::optional<SocketAddress> answer_one() {
    const auto datagram = asked();
    if (!datagram) return std::nullopt;
    impostor_.udp().send(datagram->from, from_server(payload_of(*datagram)));
    return datagram->from;
  }

  // The next request for the seat gets this answer.
  void answer_return(const std::string& bytes) {
    const UniqueFd connection = impostor_.accept();
    ASSERT_TRUE(read_request(connection).has_value());
    answer(connection, bytes);
  }
  // After it is back: heartbeats from its new port are answered until it has received a message.
  void expect_back(Process& chat) {
    ASSERT_TRUE(client_.has_value());
    EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "you are back in the room").has_value());
    std::optional<SocketAddress> back;
    do {
      back = answer_one();
    } while (back && back->port() == client_->port());  // those from before
    ASSERT_TRUE(back.has_value());
    impostor_.udp().send(*back, from_server(said("eve", "hello again")));
    EXPECT_EQ(exit_code_of(chat), 0) << told(chat);
  }

  // A `chat` that has been let in, knows that it is known, and then gets this word.
  Process let_in_and_tell(std::string_view word, const Arguments& flags = {}) {
    Process chat = let_in(admission("300"), flags);
    client_ = answer_one();
    EXPECT_TRUE(client_.has_value());
    if (client_) impostor_.udp().send(*client_, from_server(word));
    return chat;
  }

  Impostor impostor_;
  std::optional<SocketAddress> client_;
};

TEST_F(LostMember, OneForgedWordEndsNothing) {
  for (const std::string_view forged : {kNotAuthenticated, kOwnEnd}) {
    Process chat = let_in_and_tell(forged, {"--count", "1"});
    ASSERT_TRUE(answer_one().has_value());  // it asked, long before the next heartbeat is due
    impostor_.udp().send(*client_, from_server(said("eve", "still there?")));
    EXPECT_EQ(exit_code_of(chat), 0) << told(chat);
    EXPECT_EQ(chat.captured(Stream::kStdout), "eve: still there?\n");
  }
}

TEST_F(LostMember, AWordThatTheServerDoesNotDenyIsTrue) {
  Process chat = let_in_and_tell(kOwnEnd);
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find("You have been disconnected"), std::string::npos);
}

TEST_F(LostMember, AnOlderServersWordIsAskedForTwice) {
  Process chat = let_in(admission());
  const auto heartbeat = impostor_.udp().receive();
  ASSERT_TRUE(heartbeat.has_value());
  EXPECT_EQ(payload_of(*heartbeat), "");
  impostor_.udp().send(heartbeat->from, from_server(kNotAuthenticated));
  // Long enough now to be answered again.
  const auto again = asked();
  ASSERT_TRUE(again.has_value());
  EXPECT_GE(again->bytes.size(), 2 + kNotAuthenticated.size());
  impostor_.udp().send(heartbeat->from, from_server(kNotAuthenticated));
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find("You are not authenticated"), std::string::npos);
}

// As when its address has changed: its seat is still there.
TEST_F(LostMember, TakesItsSeatAgain) {
  Process chat = let_in_and_tell(kNotAuthenticated, {"--count", "1"});
  const UniqueFd connection = impostor_.accept();
  const auto request = read_request(connection);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->operation, kJoinRoom);
  EXPECT_EQ(request->room, "kitchen");
  const JsonObject fields(request->payload);
  EXPECT_EQ(fields.text("username"), "bob");
  EXPECT_EQ(fields.text("token"), kToken);
  EXPECT_NE(fields.number("port"), client_->port());
  answer(connection, admission("300"));
  expect_back(chat);
}

// What may pass is tried again, and told once.
TEST_F(LostMember, ARefusalThatMayPassIsNotTheEnd) {
  for (const int status : {429, 503}) {
    Process chat = let_in_and_tell(kNotAuthenticated, {"--count", "1"});
    answer_return(refusal(status, "not now"));
    EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "(status " + std::to_string(status) +
                                                        ": not now); trying again in 1 s")
                    .has_value())
        << told(chat);
    answer_return(refusal(status, "still not"));
    answer_return(admission("300"));
    expect_back(chat);
    EXPECT_EQ(told(chat).find("still not"), std::string::npos) << told(chat);
  }
}

// What answers is not chatd, or nobody, say because a proxy stands before one that starts.
TEST_F(LostMember, AnAnswerThatIsNoneIsNotTheEnd) {
  Process chat = let_in_and_tell(kNotAuthenticated, {"--count", "1"});
  answer_return("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "trying again").has_value()) << told(chat);
  impostor_.accept().reset();
  answer_return(admission("300"));
  expect_back(chat);
}

// The server has let it back, and only the answer is lost: then the server says goodbye to where it
// was before.
TEST_F(LostMember, AnAnswerThatIsLostIsNotTheEnd) {
  Process chat = let_in_and_tell(kNotAuthenticated, {"--count", "1", "--connect-timeout", "1s"});
  {
    const UniqueFd connection = impostor_.accept();
    ASSERT_TRUE(read_request(connection).has_value());
    EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "did not answer within").has_value())
        << told(chat);
  }
  impostor_.udp().send(*client_, from_server(kOwnEnd));
  answer_return(admission("300"));
  expect_back(chat);
}

// The server knows it after all: its old address is back.
TEST_F(LostMember, AHeartbeatThatIsAnsweredIsAsGood) {
  Process chat = let_in_and_tell(kNotAuthenticated, {"--count", "1"});
  impostor_.stop_listening();
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "Connection refused").has_value()) << told(chat);
  do {  // the first may be from before the word
    ASSERT_TRUE(answer_one().has_value());
  } while (!chat.wait_for_line(Stream::kStderr, "answers again", std::chrono::milliseconds(500)));
  impostor_.udp().send(*client_, from_server(said("eve", "hello again")));
  EXPECT_EQ(exit_code_of(chat), 0) << told(chat);
}

TEST_F(LostMember, WhoIsNotLetBackInTimeEnds) {
  Process chat = let_in(admission("2"));
  const auto client = answer_one();
  ASSERT_TRUE(client.has_value());
  impostor_.udp().send(*client, from_server(kNotAuthenticated));
  answer_return(refusal(503, "not now"));
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("has not let you back to your seat for 2 s (status 503: not now)"),
            std::string::npos)
      << told(chat);
}

TEST_F(LostMember, ASignalEndsItWhileItTriesToReturn) {
  Process chat = let_in_and_tell(kNotAuthenticated);
  const UniqueFd connection = impostor_.accept();
  ASSERT_TRUE(read_request(connection).has_value());
  chat.kill(SIGTERM);
  EXPECT_EQ(exit_code_of(chat), 128 + SIGTERM);
  EXPECT_EQ(told(chat).find("trying again"), std::string::npos) << told(chat);
}

// As after a removal whose notice was lost.
TEST_F(LostMember, WithoutASeatItIsTheEnd) {
  Process chat = let_in_and_tell(kNotAuthenticated);
  answer_return(refusal(404, "no seat"));
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find("the server does not know you (it says \"no seat\"): you were removed"),
            std::string::npos)
      << told(chat);
}

TEST_F(LostMember, ARefusalThatStaysIsTheEnd) {
  for (const int status : {400, 401, 403, 409}) {
    Process chat = let_in_and_tell(kNotAuthenticated);
    answer_return(refusal(status, "never"));
    EXPECT_EQ(exit_code_of(chat), 5);
    EXPECT_NE(told(chat).find("it says \"never\""), std::string::npos) << told(chat);
  }
}

TEST_F(LostMember, SilenceIsTold) {
  Process chat = let_in(admission("1"), {"--json"});
  ASSERT_TRUE(answer_one().has_value());
  EXPECT_TRUE(
      chat.wait_for_line(Stream::kStdout, R"({"type":"unanswered","message":"the server at)")
          .has_value());
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("has not answered for 1 s"), std::string::npos) << told(chat);
}

TEST_F(LostMember, WhatWasSaidAtTheEndHasArrivedWhenTheServerSaysSo) {
  Process chat = let_in(admission("300"));
  chat.write_stdin("hi\n");
  chat.close_stdin();
  ASSERT_TRUE(answer_one().has_value());
  ASSERT_TRUE(answer_one().has_value());
  EXPECT_EQ(exit_code_of(chat), 0);
}

TEST_F(LostMember, WhatWasSaidAtTheEndMayBeLostWhenItDoesNot) {
  Process chat = let_in(admission("300"));
  ASSERT_TRUE(answer_one().has_value());
  chat.write_stdin("hi\n");
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("does not answer"), std::string::npos) << told(chat);
}

// It knew already that the server does not answer, and does not wait until the idle timeout.
TEST_F(LostMember, WhatIsSaidIntoSilenceMayBeLost) {
  Process chat = let_in(admission("300"), {"--heartbeat", "100ms"});
  ASSERT_TRUE(answer_one().has_value());
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "does not answer").has_value());
  chat.write_stdin("hi\n");
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 3) << told(chat);
}

// The server has answered since, but what was said when it did not know us it has refused.
TEST_F(LostMember, WhatWasSaidBeforeItCameBackMayBeLost) {
  Process chat = let_in(admission("300"));
  const auto client = answer_one();
  ASSERT_TRUE(client.has_value());
  chat.write_stdin("hi\n");
  chat.close_stdin();
  for (auto datagram = impostor_.udp().receive();; datagram = impostor_.udp().receive()) {
    ASSERT_TRUE(datagram.has_value());
    if (payload_of(*datagram) == said("bob", "hi")) break;
  }
  impostor_.udp().send(*client, from_server(kNotAuthenticated));
  answer_return(admission("300"));
  EXPECT_EQ(exit_code_of(chat), 3) << told(chat);
  EXPECT_NE(told(chat).find("what you said last may be lost"), std::string::npos) << told(chat);
}

TEST_F(LostMember, WhatIsSaidAfterItCameBackArrives) {
  Process chat = let_in_and_tell(kNotAuthenticated);
  answer_return(admission("300"));
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "you are back in the room").has_value());
  chat.write_stdin("hi\n");
  chat.close_stdin();
  const Deadline deadline = kPatience;
  while (!chat.wait_exit(std::chrono::milliseconds(10)) && !deadline.passed()) {
    const auto datagram = impostor_.udp().receive(std::chrono::milliseconds(100));
    if (datagram && is_asking(*datagram)) {
      impostor_.udp().send(datagram->from, from_server(payload_of(*datagram)));
    }
  }
  EXPECT_EQ(exit_code_of(chat), 0) << told(chat);
}

class Ghost : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  Process start(const std::string& command, const std::string& name, const Arguments& flags = {}) {
    Arguments arguments{command, "kitchen", "--name", name};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return start_chat(server_, arguments);
  }
  static bool is_in(Process& chat) {
    return chat.wait_for_line(Stream::kStderr, "you are in").has_value();
  }
  static void crash(Process& chat) {
    chat.kill(SIGKILL);
    ASSERT_TRUE(chat.wait_exit().has_value());
  }
  // The same server, for all that `chat` knows, but started afresh.
  Process start_server_afresh() {
    const Arguments command{ChatdServer::program(),
                            "--host",
                            server_.tcp().ip(),
                            "--tcp-port",
                            std::to_string(server_.tcp().port()),
                            "--udp-port",
                            std::to_string(server_.udp().port()),
                            "--tls-port",
                            std::to_string(server_.tls().port())};
    server_.process().kill(SIGKILL);
    EXPECT_TRUE(server_.process().wait_exit().has_value());
    Process afresh(command);
    EXPECT_TRUE(afresh.wait_for_line(Stream::kStdout, "chatd ready").has_value());
    return afresh;
  }

  ChatdServer server_;
};

TEST_F(Ghost, OfAHostGivesWay) {
  Process first = start("create", "alice");
  ASSERT_TRUE(is_in(first));
  auto bob = Member::join(server_, "kitchen", "bob");
  ASSERT_TRUE(bob.has_value());
  crash(first);
  Process second = start("create", "alice");
  ASSERT_TRUE(is_in(second)) << told(second);
  second.write_stdin("back again\n");
  EXPECT_TRUE(bob->hears(said("alice", "back again")));  // and nothing before
  second.close_stdin();
  EXPECT_EQ(exit_code_of(second), 0);
  EXPECT_TRUE(bob->hears_left("alice"));
  // It left properly: there is no seat any more, and a third one just begins.
  Process third = start("create", "alice");
  EXPECT_TRUE(is_in(third)) << told(third);
}

TEST_F(Ghost, OfAnybodyElseToo) {
  auto alice = Member::create(server_, "kitchen", "alice");
  ASSERT_TRUE(alice.has_value());
  Process first = start("join", "bob");
  ASSERT_TRUE(is_in(first));
  EXPECT_TRUE(alice->hears_joined("bob"));
  crash(first);
  Process second = start("join", "bob");
  ASSERT_TRUE(is_in(second)) << told(second);
  const std::string hi = alice->say("hi");
  EXPECT_TRUE(second.wait_for_line(Stream::kStdout, "alice: hi").has_value());
}

TEST_F(Ghost, ThatLivesKeepsItsSeat) {
  Process first = start("create", "alice");
  ASSERT_TRUE(is_in(first));
  Process second = start("create", "alice");
  EXPECT_EQ(exit_code_of(second), 4);
  EXPECT_NE(told(second).find("(409)"), std::string::npos) << told(second);
  EXPECT_TRUE(first.running());
}

// What it has kept is of no use any more.
TEST_F(Ghost, OfARoomThatIsGoneIsForgotten) {
  Process first = start("create", "alice");
  ASSERT_TRUE(is_in(first));
  crash(first);
  const Process afresh = start_server_afresh();
  Process second = start("create", "alice");
  EXPECT_TRUE(is_in(second)) << told(second);
}

TEST_F(Ghost, AServerThatWasStartedAfreshDoesNotKnowIt) {
  Process chat = start("create", "alice", {"--heartbeat", "1s", "--v1"});
  ASSERT_TRUE(is_in(chat));
  const Process afresh = start_server_afresh();
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find("does not know you"), std::string::npos) << told(chat);
}

TEST_F(Ghost, AServerThatStandsStillIsNoticed) {
  Process chat = start("create", "alice", {"--heartbeat", "100ms"});
  ASSERT_TRUE(is_in(chat));
  server_.process().kill(SIGSTOP);
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "does not answer").has_value());
  server_.process().kill(SIGCONT);
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "answers again").has_value());
  EXPECT_TRUE(chat.running());
}

}  // namespace
}  // namespace chatd::test
