#include "bench/chatbench/target/broker/broker_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "client/net/tls_connection.h"

namespace chatd::bench {
namespace {

// The second for a processor without AES, where chatd takes it as well.
constexpr const char* kCiphers = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// What is left unsent may have moved when it is tried again, and more may have joined it.
constexpr long kModes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;

}  // namespace

void BrokerTls::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

tl::expected<BrokerTls, std::string> BrokerTls::make(const std::string& ca_path, std::string host) {
  ERR_clear_error();
  BrokerTls made(SSL_CTX_new(TLS_client_method()), std::move(host));
  SSL_CTX* const context = made.context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, kCiphers) != 1) {
    return tl::unexpected<std::string>("this machine's OpenSSL has no TLS 1.3");
  }
  if (SSL_CTX_load_verify_file(context, ca_path.c_str()) != 1) {
    ERR_clear_error();
    return tl::unexpected("--tls-ca: no certificate can be read from " + ca_path +
                          " (-----BEGIN CERTIFICATE-----)");
  }
  SSL_CTX_set_mode(context, kModes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // A certificate in the file is trusted even if it is not an authority's.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return made;
}

ssl_st* BrokerTls::new_connection(int fd) const {
  SSL* const ssl = SSL_new(context_.get());
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) {
    SSL_free(ssl);
    return nullptr;
  }
  client::expect_host(ssl, host_);
  SSL_set_connect_state(ssl);
  return ssl;
}

}  // namespace chatd::bench
