#include "bench/chatbench/target/broker/broker_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "client/net/wait.h"

namespace chatd::bench {
namespace {

constexpr const char* kClosedByBroker = "it closed the connection";

// Of a system call that has failed.
StreamResult stream_result_of_errno(StreamState if_it_would_block) {
  if (errno == EAGAIN || errno == EINTR) return {.state = if_it_would_block};
  return {.state = StreamState::kEnded, .reason = client::system_reason(errno)};
}

}  // namespace

void BrokerStream::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

tl::expected<BrokerStream, std::string> BrokerStream::connect(const client::Address& broker) {
  BrokerStream made;
  made.socket_ = UniqueFd(::socket(broker.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.socket_) {
    return tl::unexpected("cannot open a TCP connection: " + client::system_reason(errno));
  }
  const int on = 1;
  ::setsockopt(made.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(made.fd(), broker.get(), broker.size_bytes()) != 0 && errno != EINPROGRESS) {
    return tl::unexpected("cannot connect to the broker at " + broker.to_string() + ": " +
                          client::system_reason(errno) + ". Does it run there?");
  }
  return made;
}

tl::expected<void, std::string> BrokerStream::start_tls(const BrokerTls& tls) {
  ssl_.reset(tls.new_connection(fd()));
  if (ssl_ == nullptr) return tl::unexpected<std::string>("no memory for a TLS connection");
  return {};
}

StreamResult BrokerStream::send(std::string_view bytes) {
  std::size_t sent_bytes = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent_bytes);
    return result_of_tls(result, sent_bytes);
  }
  const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) return stream_result_of_errno(StreamState::kWaitsForRoom);
  return {.size_bytes = static_cast<std::size_t>(sent)};
}

StreamResult BrokerStream::receive(char* room, std::size_t room_bytes) {
  std::size_t received_bytes = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), room, room_bytes, &received_bytes);
    return result_of_tls(result, received_bytes);
  }
  const ssize_t received = ::recv(fd(), room, room_bytes, 0);
  if (received < 0) return stream_result_of_errno(StreamState::kWaitsForInput);
  if (received == 0) return {.state = StreamState::kEnded, .reason = kClosedByBroker};
  return {.size_bytes = static_cast<std::size_t>(received)};
}

// Of SSL_write_ex or SSL_read_ex.
StreamResult BrokerStream::result_of_tls(int result, std::size_t size_bytes) {
  if (result == 1) return {.size_bytes = size_bytes};
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.state = StreamState::kWaitsForInput};
    case SSL_ERROR_WANT_WRITE:
      return {.state = StreamState::kWaitsForRoom};
    case SSL_ERROR_ZERO_RETURN:
      return {.state = StreamState::kEnded, .reason = kClosedByBroker};
    default:
      break;
  }
  if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    return {.state = StreamState::kEnded,
            .reason = std::string("its certificate is not good by --tls-ca: ") +
                      X509_verify_cert_error_string(verdict)};
  }
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const words = error == 0 ? nullptr : ERR_reason_error_string(error);
  if (words != nullptr)
    return {.state = StreamState::kEnded, .reason = std::string("TLS: ") + words};
  return {.state = StreamState::kEnded,
          .reason = system_error == 0 ? kClosedByBroker : client::system_reason(system_error)};
}

}  // namespace chatd::bench
