#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstddef>

#include "server/os/socket_address.h"
#include "server/tls/certificate.h"

namespace chatd {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreedBy<&X509_EXTENSION_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, FreedBy<&BN_free>>;

constexpr long kClockSkewS = 24 * 3600;  // a client's clock may be behind
constexpr long kLifeS = 10L * 365 * 24 * 3600;
constexpr int kSerialBits = 127;
constexpr std::size_t kMaxCommonNameBytes = 64;  // X.520
constexpr std::size_t kMaxAddresses = 32;

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// In the form that X509V3_EXT_conf_nid reads. A link-local address means nothing elsewhere.
std::string alternative_names(const std::vector<std::string>& names,
                              const std::vector<IpAddress>& addresses) {
  std::string all = "DNS:localhost";
  for (const std::string& name : names) {
    if (is_host_name(name) && name != "localhost") all += ",DNS:" + name;
  }
  std::size_t count = 0;
  for (const IpAddress& ip : addresses) {
    if (ip.is_link_local() || ip.is_unspecified() || count++ == kMaxAddresses) continue;
    all += ",IP:" + to_text(ip);
  }
  return all;
}

bool add_extension(X509& certificate, int nid, const std::string& value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial(X509& certificate) {
  const NumberPtr serial(BN_new());
  return serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_name(X509& certificate, const std::vector<std::string>& names) {
  std::string name = "chatd";
  if (!names.empty() && is_host_name(names.front())) name = names.front();
  name.resize(std::min(name.size(), kMaxCommonNameBytes));
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(&certificate, subject) == 1;
}

bool fill(X509& certificate, EVP_PKEY& key, const std::vector<std::string>& names,
          const std::vector<IpAddress>& addresses) {
  return X509_set_version(&certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(&certificate), -kClockSkewS) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(&certificate), kLifeS) != nullptr &&
         set_name(certificate, names) && X509_set_pubkey(&certificate, &key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, alternative_names(names, addresses)) &&
         X509_sign(&certificate, &key, EVP_sha256()) > 0;
}

}  // namespace

tl::expected<std::string, std::string> make_self_signed(const std::vector<std::string>& names,
                                                        const std::vector<IpAddress>& addresses) {
  ERR_clear_error();
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!key || !certificate || !text || !fill(*certificate, *key, names, addresses) ||
      PEM_write_bio_PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(text.get(), certificate.get()) != 1) {
    return tl::unexpected("no certificate can be made: " + take_openssl_error());
  }
  char* bytes = nullptr;
  const long size_bytes = BIO_get_mem_data(text.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size_bytes));
}

}  // namespace chatd
