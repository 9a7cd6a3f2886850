// A client of the TLS port whose bytes go through the hands of a fuzzer. It takes any certificate.
// Thread: one.
#pragma once

#include <string>
#include <string_view>

#include "server/tls/openssl.h"

namespace chatd::fuzz {

using SslSessionPtr = std::unique_ptr<SSL_SESSION, FreedBy<&SSL_SESSION_free>>;

struct TlsClientOptions {
  std::string_view protocol = "chatd/2";  // ALPN; "": it offers none
  bool knows_tls13 = true;                // or nothing above 1.2
  // It guesses wrong which group the server wants, and is asked again (HelloRetryRequest).
  bool guesses_wrong = false;
  SSL_SESSION* ticket = nullptr;
};

class TlsClient {
 public:
  explicit TlsClient(const TlsClientOptions& options);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // What the server has sent.
  void hear(std::string_view bytes);
  // What is to be sent to the server.
  std::string take_output();

  // Those take effect once the handshake is done.
  void say(std::string_view bytes);
  void ask_for_new_keys();
  void end();

  // What the server has said: it is there only if the handshake is done on both sides.
  const std::string& heard() const { return heard_; }
  // That has come last, and is the caller's then; or nothing.
  SslSessionPtr take_ticket() { return std::move(ticket_); }

 private:
  static int remember_ticket(SSL* ssl, SSL_SESSION* session);
  static SSL_CTX* context();
  void go_on();

  SslPtr ssl_;
  SslSessionPtr ticket_;
  std::string heard_;
};

}  // namespace chatd::fuzz
