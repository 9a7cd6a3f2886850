// TLS 1.3 on one socket, the server's side. It reads and writes through Io, and never waits: what
// cannot go on says so as recv(2) and send(2) do. Its memory lives as long as the connection.
//
// One call does a bounded amount of work, whatever the peer sends: it reads one record at most, and
// a handshake has two steps that cost something (our first flight, with a signature, and the end).
// Thread: one at a time.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/io/io.h"
#include "server/tls/openssl.h"

namespace chatd {

class TlsSession {
 public:
  enum class Progress : std::uint8_t {
    kDone,
    kWaits,   // for an event
    kGoesOn,  // it was interrupted: try again
    kFailed,
  };
  // Why a handshake has failed.
  enum class Failure : std::uint8_t {
    kPlainText,      // what came is not TLS
    kOldVersion,     // the client does not speak TLS 1.3
    kWrongProtocol,  // ALPN: it speaks none that is ours
    kPeerRefuses,    // the client has sent an alert, for instance since it does not trust us
    kEnded,          // it has hung up, or the connection is broken
    kGarbage,        // anything else that is not as it should be
  };

  // `ssl` is new; nothing if OpenSSL refuses. The socket stays the caller's.
  static std::unique_ptr<TlsSession> start(Io& io, int fd, SslPtr ssl);

  // Until it is done; only then the rest.
  Progress shake_hands();
  Failure failure() const { return failure_; }
  // OpenSSL's words for it, or the kernel's.
  const std::string& failure_text() const { return failure_text_; }
  // Whether the client has come back with a ticket.
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // How much the client has sent, as the socket has it.
  std::uint64_t received_bytes() const { return wire_.received_bytes; }

  // As recv(2) and send(2), without waiting: -1 and errno, of which EAGAIN means that an event says
  // when it can go on, and EINTR that it can at once. A short read says nothing about the socket.
  // What was not taken must be the beginning of what is sent next.
  ssize_t receive(std::span<char> buffer);
  ssize_t send(std::span<const char> bytes);
  // Tells the client that nothing more comes, as far as the socket takes it now.
  void close_notify();

 private:
  // The socket, as OpenSSL's BIO sees it.
  struct Wire {
    Io& io;
    int fd;
    int error = 0;             // errno of the last failure that is none of waiting
    bool would_block = false;  // the last call had to wait
    bool has_ended = false;
    std::uint64_t received_bytes = 0;
    std::array<char, 2> head{};  // the first bytes of all

    void hear(std::span<const char> bytes);
    bool hears_plain_text() const;
  };

  TlsSession(Io& io, int fd, SslPtr ssl) : wire_{.io = io, .fd = fd}, ssl_(std::move(ssl)) {}

  static const BIO_METHOD* wire_method();
  static int read_wire(BIO* bio, char* buffer, int size_bytes);
  static int write_wire(BIO* bio, const char* bytes, int size_bytes);
  static long control_wire(BIO* bio, int command, long number, void* pointer);

  Failure classify(unsigned long openssl_error) const;
  void fail();
  ssize_t stop(int result);

  Wire wire_;
  SslPtr ssl_;
  bool is_established_ = false;
  bool has_failed_ = false;  // OpenSSL is not to be asked again
  Failure failure_ = Failure::kEnded;
  std::string failure_text_;
};

}  // namespace chatd
