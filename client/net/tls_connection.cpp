#include "client/net/tls_connection.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sodium/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "client/lib/response.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;
constexpr std::string_view kProtocolList =
    "\x07"
    "chatd/2";  // as ALPN writes it: length, name

// A chatd greets whoever comes to its port without TLS: the size of a room's name, which is none.
// No record of TLS begins like that.
constexpr char kFirstOfGreeting = '\0';

tl::unexpected<Error> unreachable(std::string reason) {
  return failure(ErrorKind::kUnreachable, std::move(reason));
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

void expect_host(ssl_st* ssl, const std::string& host) {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set1_host(ssl, host.c_str());
    // SSL_set_tlsext_host_name, whose macro casts the const away in the old style.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
}

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsConnection::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

// libsodium, which seals what is said later, looks once what the processor can do.
tl::expected<TlsContext, Error> TlsContext::make() {
  if (sodium_init() < 0) return failure(ErrorKind::kInternal, "libsodium does not start");
  TlsContext made(SSL_CTX_new(TLS_client_method()));
  if (made.context_ == nullptr) return failure(ErrorKind::kInternal, "OpenSSL does not start");
  SSL_CTX* const context = made.context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_default_verify_paths(context);
  // The caller judges who it is: a server may be known by its certificate alone.
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(kProtocolList.data()),
                          static_cast<unsigned>(kProtocolList.size()));
  return made;
}

tl::expected<TlsConnection, Error> TlsConnection::open(const TlsContext& context, UniqueFd socket,
                                                       const Address& peer, const std::string& host,
                                                       std::int64_t deadline_ms, int interrupt_fd) {
  ERR_clear_error();
  TlsConnection made(std::move(socket), peer, SSL_new(context.get()));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (made.ssl_ == nullptr || in == nullptr || out == nullptr) {
    return failure(ErrorKind::kInternal, "no memory for a TLS connection");
  }
  SSL_set_bio(made.ssl_.get(), in, out);
  SSL_set_connect_state(made.ssl_.get());
  expect_host(made.ssl_.get(), host);
  if (auto done = made.shake_hands(deadline_ms, interrupt_fd); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return made;
}

tl::expected<void, Error> TlsConnection::shake_hands(std::int64_t deadline_ms, int interrupt_fd) {
  for (;;) {
    const int result = SSL_do_handshake(ssl_.get());
    const bool is_sent = send_pending();
    if (result == 1) return {};
    if (first_byte_ == kFirstOfGreeting) {
      ERR_clear_error();
      return failure(ErrorKind::kNoTls, peer_.to_string() + " is chatd's port without TLS");
    }
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ || !is_sent) {
      return unreachable(peer_.to_string() + " does not speak TLS 1.3 there: " + reason());
    }
    if (auto received = receive(deadline_ms, interrupt_fd); !received) return received;
  }
}

std::string TlsConnection::reason() const {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "the connection has ended" : text;
}

bool TlsConnection::send_pending() {
  BIO* const out = SSL_get_wbio(ssl_.get());
  std::array<char, kChunkBytes> chunk;
  for (;;) {
    const int size = BIO_read(out, chunk.data(), static_cast<int>(chunk.size()));
    if (size <= 0) return true;
    std::string_view rest(chunk.data(), static_cast<std::size_t>(size));
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        rest.remove_prefix(static_cast<std::size_t>(sent));
      } else if (sent < 0 && errno == EAGAIN) {
        // What is asked for is short: a moment later there is room for it.
        wait_for(socket_.get(), POLLOUT, now_ms() + 1'000, -1);
      } else if (sent < 0 && errno != EINTR) {
        return false;
      }
    }
  }
}

tl::expected<void, Error> TlsConnection::receive(std::int64_t deadline_ms, int interrupt_fd) {
  std::array<char, kChunkBytes> chunk;
  for (;;) {
    switch (wait_for(socket_.get(), POLLIN, deadline_ms, interrupt_fd)) {
      case WaitResult::kInterrupted:
        return failure(ErrorKind::kInterrupted, "interrupted");
      case WaitResult::kTimedOut:
        return unreachable(peer_.to_string() + " did not answer in time");
      case WaitResult::kReady:
        break;
    }
    const ssize_t received = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (received <= 0) return unreachable(peer_.to_string() + " has closed the connection");
    if (!first_byte_) first_byte_ = chunk.front();
    BIO_write(SSL_get_rbio(ssl_.get()), chunk.data(), static_cast<int>(received));
    return {};
  }
}

tl::expected<std::string, Error> TlsConnection::exchange(std::string_view request,
                                                         std::size_t max_frame_bytes,
                                                         std::int64_t timeout_ms,
                                                         int interrupt_fd) {
  ERR_clear_error();
  // Into memory, so all of it is taken.
  if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) {
    return unreachable(peer_.to_string() + ": " + reason());
  }
  send_pending();
  const std::int64_t deadline_ms = now_ms() + timeout_ms;
  ResponseReader reader(max_frame_bytes);
  std::vector<char> buffer(kChunkBytes);
  for (;;) {
    const int size = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) {
      auto answer = reader.push({buffer.data(), static_cast<std::size_t>(size)});
      if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
      if (*answer) return std::move(**answer);
      continue;
    }
    send_pending();
    if (SSL_get_error(ssl_.get(), size) != SSL_ERROR_WANT_READ) {
      return tl::unexpected<Error>(reader.closed());
    }
    if (auto received = receive(deadline_ms, interrupt_fd); !received) {
      return tl::unexpected<Error>(std::move(received.error()));
    }
  }
}

bool TlsConnection::is_trusted(std::string& why) const {
  const long result = SSL_get_verify_result(ssl_.get());
  if (result != X509_V_OK) why = X509_verify_cert_error_string(result);
  return result == X509_V_OK;
}

std::string TlsConnection::fingerprint() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return "";
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    std::array<char, 4> pair;
    std::snprintf(pair.data(), pair.size(), i == 0 ? "%02X" : ":%02X", digest[i]);
    text += pair.data();
  }
  return text;
}

}  // namespace chatd::client
