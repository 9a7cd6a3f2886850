// TLS on a socket that takes and gives a few bytes at a time, is full, and is interrupted.
#include "server/tls/tls_session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string>
#include <thread>

#include "server/io/kernel_io.h"
#include "server/tls/certificate.h"
#include "server/tls/tls_service.h"
#include "tests/support/die.h"

namespace chatd::test {
namespace {

// As a seed says.
class DribblingIo final : public KernelIo {
 public:
  explicit DribblingIo(unsigned seed) : random_(seed) {}

  ssize_t receive(int fd, std::span<char> buffer) override {
    if (is_interrupted()) return -1;
    return KernelIo::receive(fd, buffer.first(std::min(buffer.size(), some())));
  }
  ssize_t send(int fd, std::span<const char> bytes) override {
    if (is_interrupted()) return -1;
    return KernelIo::send(fd, bytes.first(std::min(bytes.size(), some())));
  }

 private:
  bool is_interrupted() {
    errno = random_() % 2 == 0 ? EINTR : EAGAIN;
    return random_() % 4 == 0;
  }
  std::size_t some() { return 1 + random_() % (random_() % 4 == 0 ? 20'000 : 7); }

  std::mt19937 random_;
};

// What a client does that has all the time: it shakes hands, sends back what it hears, and ends.
void echo(int fd, std::size_t wanted_bytes) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  EXPECT_EQ(SSL_connect(ssl), 1);
  std::array<char, 4096> bytes;
  for (std::size_t heard = 0; heard < wanted_bytes;) {
    const int count = SSL_read(ssl, bytes.data(), bytes.size());
    if (count <= 0) break;
    heard += static_cast<std::size_t>(count);
    SSL_write(ssl, bytes.data(), count);
    if (heard % 7 == 0) SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
  }
  SSL_shutdown(ssl);
  SSL_free(ssl);
  SSL_CTX_free(context);
}

class TlsSessions : public testing::TestWithParam<unsigned> {
 protected:
  TlsSessions() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) die("socketpair");
    own_ = UniqueFd(ends[0]);
    peers_ = UniqueFd(ends[1]);
    ::fcntl(own_.get(), F_SETFL, O_NONBLOCK);
    const std::string text = make_self_signed({}, {}).value();
    service_ = TlsService::open({}, 8000, parse_certificate(text, text).value()).value();
    session_ = TlsSession::start(io_, own_.get(), service_->new_session());
  }

  void wait() const {
    pollfd watched{.fd = own_.get(), .events = POLLIN, .revents = 0};
    ::poll(&watched, 1, 1);
  }

  DribblingIo io_{GetParam()};
  UniqueFd own_;
  UniqueFd peers_;
  std::unique_ptr<TlsService> service_;
  std::unique_ptr<TlsSession> session_;
};

TEST_P(TlsSessions, CarryEachByteOverASocketThatDribbles) {
  std::string said(100'000, '\0');
  for (std::size_t i = 0; i < said.size(); ++i) said[i] = static_cast<char>(i * 31 / 7);
  std::thread client([&] { echo(peers_.get(), said.size()); });
  for (auto progress = session_->shake_hands(); progress != TlsSession::Progress::kDone;
       progress = session_->shake_hands()) {
    ASSERT_NE(progress, TlsSession::Progress::kFailed) << session_->failure_text();
    if (progress == TlsSession::Progress::kWaits) wait();
  }
  std::size_t sent = 0;
  std::string heard;
  std::array<char, 16'384> buffer;
  bool has_ended = false;
  while (!has_ended) {
    if (sent < said.size()) {
      const ssize_t count = session_->send(std::span(said).subspan(sent));
      if (count > 0) sent += static_cast<std::size_t>(count);
      ASSERT_TRUE(count > 0 || errno == EAGAIN || errno == EINTR) << session_->failure_text();
    }
    const ssize_t count = session_->receive(buffer);
    if (count > 0) heard.append(buffer.data(), static_cast<std::size_t>(count));
    has_ended = count == 0;
    ASSERT_TRUE(count >= 0 || errno == EAGAIN || errno == EINTR) << session_->failure_text();
    if (count < 0 && errno == EAGAIN && sent == said.size()) wait();
  }
  client.join();
  EXPECT_TRUE(heard == said) << heard.size() << " of " << said.size();
  session_->close_notify();
}

INSTANTIATE_TEST_SUITE_P(Seeds, TlsSessions, testing::Range(1u, 6u));

}  // namespace
}  // namespace chatd::test
