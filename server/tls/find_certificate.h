// Where the certificate of the TLS port comes from: the operator's files; or one that chatd has
// made and signed itself. That one has to stay the same, for clients remember it: it is kept in the
// state directory, or, where there is none, in memory, from one process to the next.
// Thread: the main one.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "server/tls/certificate.h"

namespace chatd {

// Its file in the state directory.
inline constexpr char kCertificateFile[] = "tls.pem";

struct FoundCertificate {
  TlsCertificate certificate;
  std::string origin;     // for the log: "from /etc/chatd/cert.pem"
  std::string self_made;  // its text, if chatd has made it; otherwise empty
};

// Where to look, and what to put into a new one.
struct CertificatePlace {
  std::string certificate_path;  // the operator's; empty: chatd makes one
  std::string key_path;
  std::string state_directory = {};  // empty: there is none
  std::string host = {};             // where the operator wants chatd to listen
  Endpoint endpoint = {};            // where it does
};

// The operator's files, which must be there and sound.
tl::expected<FoundCertificate, std::string> read_certificate_files(const CertificatePlace& place);

// `self_made`: what another process had, or empty.
tl::expected<FoundCertificate, std::string> find_certificate(const CertificatePlace& place,
                                                             const std::string& self_made = {});

}  // namespace chatd
