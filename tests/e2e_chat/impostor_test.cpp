// `chat` and a server that is not chatd, but this test: what it sends to the byte, and how it takes
// answers that no chatd gives.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/e2e_chat/chat_program.h"
#include "tests/support/json.h"
#include "tests/support/socket_address.h"
#include "tests/support/udp_peer.h"
#include "tests/support/unique_fd.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

std::string told(Process& chat) {
  return chat.captured(Stream::kStderr);
}

// A server that is not chatd, with one client on it.
class Impostor {
 public:
  Impostor() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress any("127.0.0.1", 0);
    EXPECT_EQ(::bind(listener_.get(), any.get(), any.size()), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
  }

  Process start_client(const Arguments& flags = {"--connect-timeout", "300ms"}) const {
    Arguments command{CHAT_PROGRAM, "join", "kitchen", "--name", "bob"};
    command.insert(command.end(), {"--tcp-port", std::to_string(tcp_port()), "--udp-port",
                                   std::to_string(udp_.address().port())});
    command.insert(command.end(), flags.begin(), flags.end());
    return Process(command);
  }
  std::uint16_t tcp_port() const { return SocketAddress::local_of(listener_.get()).port(); }
  UdpPeer& udp() { return udp_; }
  UniqueFd accept() const { return UniqueFd(::accept(listener_.get(), nullptr, nullptr)); }

 private:
  UniqueFd listener_;
  UdpPeer udp_;
};

void answer(const UniqueFd& connection, std::string_view bytes) {
  EXPECT_EQ(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

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

constexpr std::string_view kToken = "000102030405060708090a0b0c0d0e0f";

std::string outcome(std::string_view payload) {
  return encode(
      {.operation = kJoinRoom, .state = kCompleted, .room = "", .payload = std::string(payload)});
}

// Blocks until the client has sent a whole frame.
std::optional<Frame> read_request(const UniqueFd& connection) {
  std::string received;
  std::array<char, 4096> buffer{};
  for (;;) {
    if (auto frame = take_frame(received)) return frame;
    const ssize_t size = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return std::nullopt;
    received.append(buffer.data(), static_cast<std::size_t>(size));
  }
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
  answer(connection, outcome(R"({"status":201,"token":")" + std::string(kToken) + R"("})"));

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

TEST(ChatAgainstAnImpostor, BeingUnknownEndsTheConversation) {
  Impostor impostor;
  Process chat = impostor.start_client();
  const UniqueFd connection = impostor.accept();
  answer(connection, outcome(R"({"status":201,"token":")" + std::string(kToken) + R"("})"));
  const auto heartbeat = impostor.udp().receive();
  ASSERT_TRUE(heartbeat.has_value());
  impostor.udp().send(heartbeat->from, std::string(2, '\0').append(kNotAuthenticated));
  EXPECT_EQ(exit_code_of(chat), 5);
  EXPECT_NE(told(chat).find("You are not authenticated"), std::string::npos);
}

TEST(ChatAgainstAnImpostor, HostileDatagramsDoNoHarm) {
  Impostor impostor;
  Process chat = impostor.start_client({"--count", "1"});
  const UniqueFd connection = impostor.accept();
  answer(connection, outcome(R"({"status":201,"token":")" + std::string(kToken) + R"("})"));
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
