#include "core/room/password.h"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

namespace chatd {

Password::Password(std::string_view plain, const Salt& salt) : is_required_(!plain.empty()) {
  if (!is_required_) return;
  hash_ = {.salt = salt, .digest = digest(plain, salt)};
}

bool Password::accepts(std::string_view plain) const {
  if (!is_required_) return true;
  const Digest offered = digest(plain, hash_.salt);
  return sodium_memcmp(offered.data(), hash_.digest.data(), offered.size()) == 0;
}

Password::Digest Password::digest(std::string_view plain, const Salt& salt) {
  Digest digest;
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                     salt.data(), salt.size());
  return digest;
}

}  // namespace chatd
