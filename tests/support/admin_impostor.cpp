#include "tests/support/admin_impostor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <string_view>
#include <utility>

namespace chatd::test {

AdminImpostor::AdminImpostor(const std::string& socket_path,
                             std::function<std::string(int)> body_of)
    : body_of_(std::move(body_of)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener_.get(), 8), 0);
  thread_ = std::thread([this] { serve(); });
}

AdminImpostor::~AdminImpostor() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

void AdminImpostor::serve() {
  for (int n = 0;; ++n) {
    const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return;
    std::array<char, 4096> request{};
    if (::recv(peer.get(), request.data(), request.size(), 0) <= 0) continue;
    const std::string body = body_of_(n);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                               "\r\nConnection: close\r\n\r\n" + body;
    std::string_view left = answer;
    while (!left.empty()) {
      const ssize_t sent = ::send(peer.get(), left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
}

}  // namespace chatd::test
