// `chat` and a server that is not chatd, but this test: what it sends to the byte, and how it takes
// answers that no chatd gives.
#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <string>

#include "tests/e2e/chat/impostor.h"
#include "tests/support/json.h"

namespace chatd::test {
namespace {

TEST(ChatAgainstAnImpostor, SilenceTimesOut) {
  const Impostor impostor;
  Process chat = impostor.start_client();
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("did not answer within 300 ms"), std::string::npos);
}

TEST(ChatAgainstAnImpostor, AnotherProtocolIsRecognised) {
  const Impostor impostor;
  Process chat = impostor.start_client();
  const UniqueFd connection = impostor.accept();
  answer(connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("protocol"), std::string::npos);
}

TEST(ChatAgainstAnImpostor, AClosedConnectionIsToldAsOne) {
  const Impostor impostor;
  Process chat = impostor.start_client();
  impostor.accept().reset();
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("closed the connection"), std::string::npos);
}

TEST(ChatAgainstAnImpostor, ItsReasonIsDisarmed) {
  const Impostor impostor;
  Process chat = impostor.start_client();
  const UniqueFd connection = impostor.accept();
  answer(connection, encode({.operation = kJoinRoom,
                             .state = kCompleted,
                             .room = "",
                             .payload = R"({"status":503,"message":"\u001b[2Jfull\n"})"}));
  EXPECT_EQ(exit_code_of(chat), 4);
  EXPECT_EQ(told(chat), "chat: the server refused (503): ^[[2Jfull^J\n");
}

TEST(ChatAgainstAnImpostor, EverythingItSendsIsOfTheAgreedForm) {
  Impostor impostor;
  Process chat = impostor.start_client({"--password", "p\"w", "--heartbeat", "100ms"});
  const UniqueFd connection = impostor.accept();
  const auto request = read_request(connection);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->operation, kJoinRoom);
  EXPECT_EQ(request->state, kRequest);
  EXPECT_EQ(request->room, "kitchen");
  const JsonObject fields(request->payload);
  EXPECT_EQ(fields.text("username"), "bob");
  EXPECT_EQ(fields.text("password"), "p\"w");
  EXPECT_EQ(fields.text("ip"), "127.0.0.1");
  answer(connection, admission());

  // A heartbeat at once, from the port that was named: a member behind NAT is bound by it.
  const std::string heartbeat = encode_datagram("kitchen", kToken, "");
  auto first = impostor.udp().receive();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->bytes, heartbeat);
  EXPECT_EQ(first->from.port(), fields.number("port"));
  // And again when nothing else was sent.
  auto second = impostor.udp().receive();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->bytes, heartbeat);

  chat.write_stdin("hi\n");
  chat.close_stdin();
  const auto next_that_is_no_heartbeat = [&] {
    auto datagram = impostor.udp().receive();
    while (datagram && datagram->bytes == heartbeat) datagram = impostor.udp().receive();
    return datagram ? datagram->bytes : std::string();
  };
  EXPECT_EQ(next_that_is_no_heartbeat(), encode_datagram("kitchen", kToken, said("bob", "hi")));
  EXPECT_EQ(
      next_that_is_no_heartbeat(),
      encode_datagram("kitchen", kToken, R"({"sender":"system","operation":2,"username":"bob"})"));
  EXPECT_EQ(exit_code_of(chat), 0);
}

TEST(ChatAgainstAnImpostor, HostileDatagramsDoNoHarm) {
  Impostor impostor;
  Process chat = impostor.start_client({"--count", "1"});
  const UniqueFd connection = impostor.accept();
  answer(connection, admission());
  const auto heartbeat = impostor.udp().receive();
  ASSERT_TRUE(heartbeat.has_value());
  const std::string prefix(2, '\0');
  impostor.udp().send(heartbeat->from, "");
  impostor.udp().send(heartbeat->from, prefix);
  impostor.udp().send(heartbeat->from, "\x01\x02garbage");
  impostor.udp().send(heartbeat->from, prefix + std::string(60'000, '['));
  impostor.udp().send(heartbeat->from, prefix + "{\"sender\":\"\xff\xfe\"}");
  impostor.udp().send(heartbeat->from, prefix + said("eve", "still there?"));
  EXPECT_EQ(exit_code_of(chat), 0) << told(chat);
  EXPECT_EQ(chat.captured(Stream::kStdout), "eve: still there?\n");
}

// --timeout is for all of it, and shorter than --connect-timeout here.
TEST(ChatAgainstAnImpostor, TheTimeoutIsKeptWhileConnecting) {
  const Impostor impostor;
  Process chat = impostor.start_client({"--connect-timeout", "1h", "--timeout", "300ms"});
  EXPECT_EQ(exit_code_of(chat), 3);
  EXPECT_NE(told(chat).find("did not answer"), std::string::npos) << told(chat);
}

TEST(ChatAgainstAnImpostor, AnInterruptedWaitEndsAtOnce) {
  const Impostor impostor;
  Process chat = impostor.start_client({"--connect-timeout", "1h"});
  const UniqueFd connection = impostor.accept();
  ASSERT_TRUE(read_request(connection).has_value());
  chat.kill(SIGINT);
  EXPECT_EQ(exit_code_of(chat), 128 + SIGINT);
}

}  // namespace
}  // namespace chatd::test
