#include "tests/e2e/chat/impostor.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "tests/support/socket_address.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
Impostor::Impostor() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const SocketAddress any("127.0.0.1", 0);
  EXPECT_EQ(::bind(listener_.get(), any.get(), any.size()), 0);
  EXPECT_EQ(::listen(listener_.get(), 1), 0);
}

Process Impostor::start_client(const Arguments& flags) const {
  Arguments command{CHAT_PROGRAM, "join", "kitchen", "--name", "bob"};
  command.insert(command.end(),
                 {"--v1", "--host", "127.0.0.1", "--tcp-port", std::to_string(tcp_port()),
                  "--udp-port", std::to_string(udp_.address().port())});
  command.insert(command.end(), flags.begin(), flags.end());
  return Process(command, chat_options());
}

std::uint16_t Impostor::tcp_port() const {
  return SocketAddress::local_of(listener_.get()).port();
}

UniqueFd Impostor::accept(Deadline deadline) const {
  if (!wait_ready(listener_.get(), POLLIN, deadline)) {
    ADD_FAILURE() << "nobody connects";
    return {};
  }
  return UniqueFd(::accept(listener_.get(), nullptr, nullptr));
}

std::string admission() {
  return outcome(R"({"status":201,"token":")" + std::string(kToken) + R"("})");
}

std::string admission(std::string_view idle_timeout) {
  return outcome(R"({"status":201,"token":")" + std::string(kToken) + R"(","idle_timeout":)" +
                 std::string(idle_timeout) + "}");
}

void answer(const UniqueFd& connection, std::string_view bytes) {
  EXPECT_EQ(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::string refusal(int status, std::string_view message) {
  return outcome(R"({"status":)" + std::to_string(status) + R"(,"message":")" +
                 std::string(message) + R"("})");
}

std::string outcome(std::string_view payload) {
  return encode(
      {.operation = kJoinRoom, .state = kCompleted, .room = "", .payload = std::string(payload)});
}

std::optional<Frame> read_request(const UniqueFd& connection, Deadline deadline) {
  std::string received;
  std::array<char, 4096> buffer{};
  for (;;) {
    if (auto frame = take_frame(received)) return frame;
    if (!wait_ready(connection.get(), POLLIN, deadline)) return std::nullopt;
    const ssize_t size = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return std::nullopt;
    received.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace chatd::test
