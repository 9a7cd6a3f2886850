#include "server/tls/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace chatd {
namespace {

// What operator new does when there is no memory, until `allocate` has some. Nothing where there is
// no handler, as for anybody who is asked for nothing.
template <class Allocate>
void* persist(std::size_t size_bytes, Allocate allocate) {
  if (size_bytes == 0) return nullptr;
  for (;;) {
    if (void* const memory = allocate()) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) return nullptr;
    handler();
  }
}

void* allocate_for_openssl(std::size_t size_bytes, const char* /*file*/, int /*line*/) {
  return persist(size_bytes, [size_bytes] { return std::malloc(size_bytes); });
}

void* reallocate_for_openssl(void* memory, std::size_t size_bytes, const char* /*file*/,
                             int /*line*/) {
  if (size_bytes == 0) std::free(memory);
  return persist(size_bytes, [memory, size_bytes] { return std::realloc(memory, size_bytes); });
}

void release_of_openssl(void* memory, const char* /*file*/, int /*line*/) {
  std::free(memory);
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

bool end_when_openssl_has_no_memory() {
  return CRYPTO_set_mem_functions(&allocate_for_openssl, &reallocate_for_openssl,
                                  &release_of_openssl) == 1;
}

}  // namespace chatd
