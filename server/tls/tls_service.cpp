#include "server/tls/tls_service.h"

#include <openssl/err.h>

#include <utility>

#include "server/os/wait.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

// Both are quick (30 to 60 µs). Others that OpenSSL knows take a hundred times as long, and it is
// the client who chooses.
constexpr char kGroups[] = "X25519:P-256";

int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void* /*data*/) {
  const std::string_view all(reinterpret_cast<const char*>(offered), offered_bytes);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t size_bytes = offered[at];
    if (all.substr(at + 1, size_bytes) == kAlpnProtocol) {
      *chosen = offered + at + 1;
      *chosen_bytes = static_cast<unsigned char>(size_bytes);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + size_bytes;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool use_certificate(SSL_CTX& context, const TlsCertificate& certificate) {
  if (SSL_CTX_use_certificate(&context, certificate.leaf.get()) != 1 ||
      SSL_CTX_use_PrivateKey(&context, certificate.key.get()) != 1) {
    return false;
  }
  for (const X509Ptr& each : certificate.chain) {
    if (SSL_CTX_add1_chain_cert(&context, each.get()) != 1) return false;
  }
  return true;
}

}  // namespace

tl::expected<std::unique_ptr<TlsService>, std::string> TlsService::open(
    const Endpoint& endpoint, std::uint16_t plain_port, const TlsCertificate& certificate,
    std::string_view ticket_keys) {
  const TimeMs now_ms = monotonic_now_ms();
  auto keys = TicketKeys::is_text(ticket_keys)
                  ? tl::expected<TicketKeys, std::string>(TicketKeys(now_ms, ticket_keys))
                  : TicketKeys::make(now_ms);
  if (!keys) return Fault("TLS: " + keys.error());
  std::unique_ptr<TlsService> service(new TlsService(endpoint, plain_port, std::move(*keys)));
  if (auto used = service->use(certificate); !used) return Fault(used.error());
  return service;
}

tl::expected<void, std::string> TlsService::use(const TlsCertificate& certificate) {
  auto context = make_context(certificate);
  if (!context) return Fault(context.error());
  const std::lock_guard lock(mutex_);
  context_ = std::move(*context);
  fingerprint_ = certificate.fingerprint;
  expires_at_s_ = certificate.expires_at_s;
  return {};
}

// What OpenSSL would do on its own account is turned off: it neither stores sessions nor goes on
// reading after a record that holds no data (tls_session.cpp reads one record at a time).
tl::expected<SslContextPtr, std::string> TlsService::make_context(
    const TlsCertificate& certificate) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), kGroups) != 1 ||
      SSL_CTX_set_num_tickets(context.get(), 1) != 1 ||
      SSL_CTX_set_tlsext_ticket_key_evp_cb(context.get(), &TlsService::on_ticket) != 1 ||
      SSL_CTX_set_app_data(context.get(), this) != 1) {
    return Fault("TLS cannot be set up: " + take_openssl_error());
  }
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);  // frames say their length
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context.get(), static_cast<long>(TicketKeys::kLifeMs / 1000));
  SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, nullptr);
  if (!use_certificate(*context, certificate)) {
    return Fault("OpenSSL does not take the certificate: " + take_openssl_error());
  }
  return context;
}

std::string TlsService::fingerprint() const {
  const std::lock_guard lock(mutex_);
  return fingerprint_;
}

std::int64_t TlsService::expires_at_s() const {
  const std::lock_guard lock(mutex_);
  return expires_at_s_;
}

SslPtr TlsService::new_session() const {
  const std::lock_guard lock(mutex_);
  return SslPtr(SSL_new(context_.get()));
}

int TlsService::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int seals) {
  auto* const service = static_cast<TlsService*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return service->ticket_keys_.prepare(monotonic_now_ms(), name, iv, cipher, mac, seals != 0);
}

}  // namespace chatd
