// TLS 1.3 over a connected socket: requests with their answers, as TcpConnection, that nobody on
// the way can read or change. Who answers is for the caller to judge before it asks for anything:
// by the system's authorities and the server's name (is_trusted()), or by the certificate's
// fingerprint.
//
// Thread: one at a time. Blocks for as long as the timeouts say.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::client {

// Whom the server's certificate has to be for: a name, which the server is told as well (SNI), or
// an address.
void expect_host(ssl_st* ssl, const std::string& host);

// What many connections share: the protocol, and the authorities of this machine.
class TlsContext {
 public:
  // kInternal: this machine has no TLS to offer.
  static tl::expected<TlsContext, Error> make();

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

class TlsConnection {
 public:
  // Shakes hands on a non-blocking socket that is connected to `peer`, until `deadline_ms` of
  // now_ms(). `host` is the server's name or address, as the person has given it. kNoTls: it is the
  // wrong port of a chatd.
  static tl::expected<TlsConnection, Error> open(const TlsContext& context, UniqueFd socket,
                                                 const Address& peer, const std::string& host,
                                                 std::int64_t deadline_ms, int interrupt_fd);

  const Address& peer() const { return peer_; }
  // Whether an authority that this machine trusts says that it is the server of this name. If not,
  // `why` gets the reason in words.
  bool is_trusted(std::string& why) const;
  // SHA-256 of the server's certificate, as chatd logs it: 64 hexadecimal digits in pairs, with
  // colons between.
  std::string fingerprint() const;

  // As TcpConnection::exchange. May be called again when the answer has come.
  tl::expected<std::string, Error> exchange(std::string_view request, std::size_t max_frame_bytes,
                                            std::int64_t timeout_ms, int interrupt_fd);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  TlsConnection(UniqueFd socket, const Address& peer, ssl_st* ssl)
      : socket_(std::move(socket)), peer_(peer), ssl_(ssl) {}

  // Between OpenSSL's memory and the socket. False: the connection has ended.
  bool send_pending();
  tl::expected<void, Error> receive(std::int64_t deadline_ms, int interrupt_fd);
  tl::expected<void, Error> shake_hands(std::int64_t deadline_ms, int interrupt_fd);
  std::string reason() const;

  UniqueFd socket_;
  Address peer_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::optional<char> first_byte_;  // that has come
};

}  // namespace chatd::client
