#include "tests/fuzz/tls_client.h"

#include <openssl/err.h>

#include <array>

#include "tests/model/require.h"

namespace chatd::fuzz {

using test::require;

SSL_CTX* TlsClient::context() {
  static const SslContextPtr kContext = [] {
    SslContextPtr made(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made.get(), &TlsClient::remember_ticket);
    return made;
  }();
  return kContext.get();
}

TlsClient::TlsClient(const TlsClientOptions& options) : ssl_(SSL_new(context())) {
  require(ssl_ != nullptr, "OpenSSL makes a client");
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (!options.knows_tls13) SSL_set_max_proto_version(ssl_.get(), TLS1_2_VERSION);
  if (options.guesses_wrong) SSL_set1_groups_list(ssl_.get(), "P-384:P-256");
  if (options.ticket != nullptr) SSL_set_session(ssl_.get(), options.ticket);
  if (!options.protocol.empty()) {
    std::string list(1, static_cast<char>(options.protocol.size()));
    list += options.protocol;
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  SSL_set_connect_state(ssl_.get());
  go_on();
}

int TlsClient::remember_ticket(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsClient*>(SSL_get_app_data(ssl))->ticket_.reset(session);
  return 1;
}

// The queue of errors is the server's as well, in this thread.
void TlsClient::go_on() {
  ERR_clear_error();
  if (SSL_do_handshake(ssl_.get()) == 1) {
    std::array<char, 4096> bytes;
    std::size_t count = 0;
    while (SSL_read_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1) {
      heard_.append(bytes.data(), count);
    }
  }
  ERR_clear_error();
}

void TlsClient::hear(std::string_view bytes) {
  if (bytes.empty()) return;
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  go_on();
}

std::string TlsClient::take_output() {
  BIO* const bio = SSL_get_wbio(ssl_.get());
  std::string bytes(BIO_ctrl_pending(bio), '\0');
  if (!bytes.empty()) BIO_read(bio, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

void TlsClient::say(std::string_view bytes) {
  if (bytes.empty() || SSL_is_init_finished(ssl_.get()) == 0) return;
  std::size_t count = 0;
  SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  ERR_clear_error();
}

void TlsClient::ask_for_new_keys() {
  if (SSL_is_init_finished(ssl_.get()) == 0) return;
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1) go_on();
  ERR_clear_error();
}

void TlsClient::end() {
  if (SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace chatd::fuzz
