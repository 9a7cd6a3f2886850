// The certificate of the TLS port: a key, the certificate that is its own, and those that lead from
// there to an authority. Text is PEM, as OpenSSL's tools write it. Errors are sentences that say
// what is wrong with it. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/ip_address.h"
#include "server/tls/openssl.h"

namespace chatd {

struct TlsCertificate {
  KeyPtr key;
  X509Ptr leaf;
  std::vector<X509Ptr> chain;
  // SHA-256 of the leaf, as `openssl x509 -fingerprint -sha256` writes it.
  std::string fingerprint;
  std::int64_t expires_at_s = 0;  // since 1970

  bool has_expired() const;
};

// `certificates` has the leaf first; both texts may hold other things as well, and be the same one.
tl::expected<TlsCertificate, std::string> parse_certificate(std::string_view certificates,
                                                            std::string_view key);

// A key (ECDSA, P-256) and a certificate that it has signed itself, for ten years, in one text.
// What is not fit to stand in a certificate is left out.
tl::expected<std::string, std::string> make_self_signed(const std::vector<std::string>& names,
                                                        const std::vector<IpAddress>& addresses);

}  // namespace chatd
