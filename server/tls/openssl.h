// OpenSSL's objects with one owner, its errors as text, and its memory. Thread: any.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace chatd {

template <auto free>
struct FreedBy {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, FreedBy<&BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<&EVP_PKEY_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreedBy<&SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, FreedBy<&SSL_free>>;
using X509Ptr = std::unique_ptr<X509, FreedBy<&X509_free>>;

// The first error that this thread's calls have left since the last call, in OpenSSL's words; all
// of them are forgotten then.
std::string take_openssl_error();

// From here on OpenSSL has its memory as operator new does, and if there is none the program ends
// in the same way (server/os/process_start.h). On its own account it would go on: crash, give
// reasons that have nothing to do with it, or be unfit for any handshake from then on, if it was
// initialising something. To be called before anything else of OpenSSL; false: it was too late.
bool end_when_openssl_has_no_memory();

}  // namespace chatd
