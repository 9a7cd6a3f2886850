// What the TLS connections of all shards have in common: where they come in, the certificate, which
// may be replaced while chatd runs, and the keys of session tickets. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "server/tls/certificate.h"
#include "server/tls/openssl.h"
#include "server/tls/ticket_keys.h"

namespace chatd {

// The protocol that a client may ask for (ALPN). Who asks for others only is refused; who asks for
// none is not.
inline constexpr std::string_view kAlpnProtocol = "chatd/2";

class TlsService {
 public:
  // `plain_port` is where clients without TLS are sent. `ticket_keys` are another process's
  // (ticket_keys()), or empty.
  static tl::expected<std::unique_ptr<TlsService>, std::string> open(
      const Endpoint& endpoint, std::uint16_t plain_port, const TlsCertificate& certificate,
      std::string_view ticket_keys = {});

  const Endpoint& endpoint() const { return endpoint_; }
  std::uint16_t plain_port() const { return plain_port_; }

  // From here on new connections get this one; those that are there keep theirs. An error: OpenSSL
  // does not take it, and nothing has changed.
  tl::expected<void, std::string> use(const TlsCertificate& certificate);
  std::string fingerprint() const;
  std::int64_t expires_at_s() const;

  // For a new connection. Nothing: OpenSSL makes none.
  SslPtr new_session() const;

  std::string ticket_keys() const { return ticket_keys_.text(); }

 private:
  TlsService(const Endpoint& endpoint, std::uint16_t plain_port, TicketKeys ticket_keys)
      : endpoint_(endpoint), plain_port_(plain_port), ticket_keys_(std::move(ticket_keys)) {}

  tl::expected<SslContextPtr, std::string> make_context(const TlsCertificate& certificate);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int seals);

  Endpoint endpoint_;
  std::uint16_t plain_port_;
  TicketKeys ticket_keys_;
  mutable std::mutex mutex_;
  SslContextPtr context_;
  std::string fingerprint_;
  std::int64_t expires_at_s_ = 0;
};

}  // namespace chatd
