#include "server/tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <utility>

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is there who could type one.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*data*/) {
  return -1;
}

std::string fingerprint_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size_bytes = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size_bytes) != 1) return "";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size_bytes; ++i) {
    if (i > 0) text += ':';
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

// Since 1970; 0 where that cannot be told.
std::int64_t expiry_of(const X509& certificate) {
  using TimePtr = std::unique_ptr<ASN1_TIME, FreedBy<&ASN1_TIME_free>>;
  constexpr std::int64_t kDayS = 24 * 3600;
  const TimePtr epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch ||
      ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(&certificate)) != 1) {
    return 0;
  }
  return days * kDayS + seconds;
}

tl::expected<std::vector<X509Ptr>, std::string> parse_all(std::string_view text) {
  const BioPtr reader = reader_of(text);
  std::vector<X509Ptr> found;
  while (X509* const next = PEM_read_bio_X509(reader.get(), nullptr, &no_passphrase, nullptr)) {
    found.emplace_back(next);
  }
  // The end of the text shows as a line that is not there.
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string error = take_openssl_error();
  if (found.empty() && is_at_end) {
    return Fault("there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  }
  if (!is_at_end) return Fault("a certificate in it cannot be read (" + error + ")");
  return found;
}

tl::expected<KeyPtr, std::string> parse_key(std::string_view text) {
  const BioPtr reader = reader_of(text);
  KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, &no_passphrase, nullptr));
  if (key) return key;
  return Fault("there is no private key in it that can be read without a passphrase (" +
               take_openssl_error() + ")");
}

}  // namespace

bool TlsCertificate::has_expired() const {
  return X509_cmp_current_time(X509_get0_notAfter(leaf.get())) < 0;
}

tl::expected<TlsCertificate, std::string> parse_certificate(std::string_view certificates,
                                                            std::string_view key) {
  ERR_clear_error();
  auto all = parse_all(certificates);
  if (!all) return Fault("certificate: " + all.error());
  auto private_key = parse_key(key);
  if (!private_key) return Fault("key: " + private_key.error());
  TlsCertificate certificate;
  certificate.key = std::move(*private_key);
  certificate.leaf = std::move(all->front());
  all->erase(all->begin());
  certificate.chain = std::move(*all);
  if (X509_check_private_key(certificate.leaf.get(), certificate.key.get()) != 1) {
    ERR_clear_error();
    return Fault(
        "the key is not that of the certificate: the server's own certificate has to be the "
        "first one in its file");
  }
  certificate.fingerprint = fingerprint_of(*certificate.leaf);
  certificate.expires_at_s = expiry_of(*certificate.leaf);
  if (certificate.fingerprint.empty()) return Fault(take_openssl_error());
  return certificate;
}

}  // namespace chatd
