#include "server/tls/tls_session.h"

#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace chatd {
namespace {

// Of a record's first byte (RFC 8446, 5.1), and of its second one.
constexpr char kFirstRecordType = 20;
constexpr char kLastRecordType = 23;
constexpr char kMajorVersion = 3;

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

// --- The socket as a BIO -------------------------------------------------------------------------

void TlsSession::Wire::hear(std::span<const char> bytes) {
  for (std::size_t i = 0; i < bytes.size() && received_bytes + i < head.size(); ++i) {
    head[received_bytes + i] = bytes[i];
  }
  received_bytes += bytes.size();
}

bool TlsSession::Wire::hears_plain_text() const {
  return (received_bytes >= 1 && (head[0] < kFirstRecordType || head[0] > kLastRecordType)) ||
         (received_bytes >= 2 && head[1] != kMajorVersion);
}

int TlsSession::read_wire(BIO* bio, char* buffer, int size_bytes) {
  Wire& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count = wire.io.receive(wire.fd, {buffer, static_cast<std::size_t>(size_bytes)});
  wire.would_block = count < 0 && would_wait(errno);
  if (count < 0 && (wire.would_block || errno == EINTR)) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (count < 0) {
    wire.error = errno;
    return -1;
  }
  wire.has_ended = count == 0;
  wire.hear({buffer, static_cast<std::size_t>(count)});
  // OpenSSL would answer with an alert, which nobody there understands.
  return wire.hears_plain_text() ? -1 : static_cast<int>(count);
}

int TlsSession::write_wire(BIO* bio, const char* bytes, int size_bytes) {
  Wire& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count = wire.io.send(wire.fd, {bytes, static_cast<std::size_t>(size_bytes)});
  wire.would_block = count < 0 && would_wait(errno);
  if (count >= 0) return static_cast<int>(count);
  if (wire.would_block || errno == EINTR) {
    BIO_set_retry_write(bio);
  } else {
    wire.error = errno;
  }
  return -1;
}

long TlsSession::control_wire(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  const Wire& wire = *static_cast<const Wire*>(BIO_get_data(bio));
  if (command == BIO_CTRL_EOF) return wire.has_ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* TlsSession::wire_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "chatd");
    if (method != nullptr) {
      BIO_meth_set_read(method, &TlsSession::read_wire);
      BIO_meth_set_write(method, &TlsSession::write_wire);
      BIO_meth_set_ctrl(method, &TlsSession::control_wire);
    }
    return method;
  }();
  return kMethod;
}

// --- The session ---------------------------------------------------------------------------------

std::unique_ptr<TlsSession> TlsSession::start(Io& io, int fd, SslPtr ssl) {
  if (!ssl || wire_method() == nullptr) return nullptr;
  BIO* const bio = BIO_new(wire_method());
  if (bio == nullptr) return nullptr;
  std::unique_ptr<TlsSession> session(new TlsSession(io, fd, std::move(ssl)));
  BIO_set_data(bio, &session->wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl_.get(), bio, bio);  // which owns it from here on
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

TlsSession::Progress TlsSession::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    is_established_ = true;
    return Progress::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return wire_.would_block ? Progress::kWaits : Progress::kGoesOn;
  }
  fail();
  return Progress::kFailed;
}

TlsSession::Failure TlsSession::classify(unsigned long openssl_error) const {
  if (wire_.hears_plain_text()) return Failure::kPlainText;
  if (wire_.error != 0 || wire_.has_ended) return Failure::kEnded;
  const int reason = ERR_GET_REASON(openssl_error);
  if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW) {
    return Failure::kOldVersion;
  }
  if (reason == SSL_R_NO_APPLICATION_PROTOCOL) return Failure::kWrongProtocol;
  // Reasons from here on are alerts that have come, by their number.
  return reason >= SSL_AD_REASON_OFFSET ? Failure::kPeerRefuses : Failure::kGarbage;
}

void TlsSession::fail() {
  has_failed_ = true;
  failure_ = classify(ERR_peek_error());
  failure_text_ = take_openssl_error();
  if (failure_ == Failure::kEnded) {
    failure_text_ = wire_.error != 0 ? std::strerror(wire_.error) : "it has hung up";
  }
}

// What a call that has not succeeded means for its caller.
ssize_t TlsSession::stop(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = wire_.would_block ? EAGAIN : EINTR;
      return -1;
    default:
      fail();
      errno = wire_.error != 0 ? wire_.error : EPROTO;
      return -1;
  }
}

ssize_t TlsSession::receive(std::span<char> buffer) {
  ERR_clear_error();
  wire_.would_block = false;
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
  return result == 1 ? static_cast<ssize_t>(count) : stop(result);
}

ssize_t TlsSession::send(std::span<const char> bytes) {
  ERR_clear_error();
  wire_.would_block = false;
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return static_cast<ssize_t>(count);
  const ssize_t stopped = stop(result);
  if (stopped == 0) errno = EPIPE;
  return -1;
}

void TlsSession::close_notify() {
  if (!is_established_ || has_failed_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace chatd
