#include "tests/support/tls_peer.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <utility>

#include "tests/support/die.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

std::string take_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "the end" : text;
}

// Where a session keeps the ticket that has come last.
int remember_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* const last = static_cast<TlsTicket*>(SSL_get_app_data(ssl));
  *last = TlsTicket(session);
  return 1;
}

}  // namespace

TlsTicket::TlsTicket(ssl_session_st* session) : session_(session, &SSL_SESSION_free) {}

void TlsPeer::Free::operator()(ssl_st* ssl) const {
  delete static_cast<TlsTicket*>(SSL_get_app_data(ssl));
  // Or it would hold that what its ticket leads to has ended badly.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}
void TlsPeer::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsPeer::TlsPeer(const SocketAddress& server, const TlsPeerOptions& options)
    : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)),
      context_(SSL_CTX_new(TLS_client_method())) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (!fd_ || !context_) die("socket");
  if (!options.source_ip.empty()) {
    const SocketAddress source(options.source_ip, 0);
    if (::bind(fd_.get(), source.get(), source.size()) != 0) die("bind");
  }
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!options.knows_tls13) SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context_.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), &remember_ticket);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_app_data(ssl_.get(), new TlsTicket);
  if (!options.protocol.empty()) {
    const std::string list =
        std::string(1, static_cast<char>(options.protocol.size())) + options.protocol;
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  if (options.ticket) SSL_set_session(ssl_.get(), options.ticket.get());
  SSL_set_fd(ssl_.get(), fd_.get());
  if (::connect(fd_.get(), server.get(), server.size()) != 0) {
    failure_ = "no connection";
  } else if (!options.waits) {
    shake_hands();
  }
}

TlsPeer::~TlsPeer() = default;

bool TlsPeer::shake_hands() {
  timeval patience{.tv_sec = kPatience.count() / 1000, .tv_usec = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ERR_clear_error();
  connected_ = SSL_connect(ssl_.get()) == 1;
  if (!connected_) failure_ = take_error();
  return connected_;
}

void TlsPeer::begin() {
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  SSL_connect(ssl_.get());
  ERR_clear_error();
  ::fcntl(fd_.get(), F_SETFL, 0);
}

bool TlsPeer::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string TlsPeer::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsPeer::fingerprint() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return "";
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof byte, "%s%02X", i == 0 ? "" : ":", digest[i]);
    text += byte;
  }
  return text;
}

TlsTicket TlsPeer::ticket() const {
  return *static_cast<TlsTicket*>(SSL_get_app_data(ssl_.get()));
}

bool TlsPeer::send(std::string_view bytes, Deadline /*deadline*/) {
  ERR_clear_error();
  const bool is_sent =
      connected_ && SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  if (!is_sent) failure_ = take_error();
  return is_sent;
}

void TlsPeer::finish_sending() {
  SSL_shutdown(ssl_.get());
}

void TlsPeer::ask_for_new_keys() {
  SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
}

bool TlsPeer::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool TlsPeer::receive_more(Deadline deadline) {
  if (end_ != StreamEnd::kOpen || !connected_) return false;
  if (SSL_has_pending(ssl_.get()) == 0 && !wait_ready(fd_.get(), POLLIN, deadline)) return false;
  std::array<char, 65536> bytes;
  ERR_clear_error();
  const int count = SSL_read(ssl_.get(), bytes.data(), bytes.size());
  if (count > 0) {
    received_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), count);
  if (error == SSL_ERROR_WANT_READ) return true;
  end_ = error == SSL_ERROR_ZERO_RETURN ? StreamEnd::kOrderly : StreamEnd::kReset;
  failure_ = take_error();
  return false;
}

}  // namespace chatd::test
