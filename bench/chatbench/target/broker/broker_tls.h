// What all TLS connections to a broker share: the certificates that are trusted, and whom the
// broker's has to be for. A broker that cannot prove who it is, is not measured.
//
// TLS 1.3 alone, and one cipher for all brokers: left to themselves, some take AES-128 and others
// AES-256, and the comparison would be one of ciphers. It is what chatd seals datagrams with, too.
//
// Thread: one at a time.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace chatd::bench {

class BrokerTls {
 public:
  // Of connections to `host`, a name or an address. `ca_path` is a file with the certificates (PEM)
  // that are trusted: of authorities, or the broker's own. The error is a sentence.
  static tl::expected<BrokerTls, std::string> make(const std::string& ca_path, std::string host);

  // A client's side over the socket, which has not said anything yet. Null: out of memory.
  ssl_st* new_connection(int fd) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  BrokerTls(ssl_ctx_st* context, std::string host) : context_(context), host_(std::move(host)) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::string host_;
};

}  // namespace chatd::bench
