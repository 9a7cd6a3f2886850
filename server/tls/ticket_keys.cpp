#include "server/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace chatd {
namespace {

constexpr int kError = -1;
constexpr int kUnknownKey = 0;
constexpr int kSealed = 1;
constexpr int kOpened =
    2;  // and the client gets another one: nobody can tell by it who has come back

}  // namespace

tl::expected<TicketKeys, std::string> TicketKeys::make(TimeMs now_ms) {
  TicketKeys keys;
  if (!fill(keys.current_) || !fill(keys.previous_)) return tl::unexpected(take_openssl_error());
  keys.rotate_at_ms_ = now_ms + kLifeMs;
  return keys;
}

bool TicketKeys::is_text(std::string_view text) {
  return text.size() == 2 * kKeyBytes;
}

TicketKeys::TicketKeys(TimeMs now_ms, std::string_view text) : rotate_at_ms_(now_ms + kLifeMs) {
  const char* from = text.data();
  for (Key* const key : {&current_, &previous_}) {
    for (auto [bytes, size_bytes] : {std::pair(key->name.data(), key->name.size()),
                                     std::pair(key->cipher.data(), key->cipher.size()),
                                     std::pair(key->mac.data(), key->mac.size())}) {
      std::memcpy(bytes, from, size_bytes);
      from += size_bytes;
    }
  }
}

TicketKeys::TicketKeys(TicketKeys&& other) noexcept
    : current_(other.current_), previous_(other.previous_), rotate_at_ms_(other.rotate_at_ms_) {}

std::string TicketKeys::text() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const Key* const key : {&current_, &previous_}) {
    text.append(key->name.begin(), key->name.end());
    text.append(key->cipher.begin(), key->cipher.end());
    text.append(key->mac.begin(), key->mac.end());
  }
  return text;
}

bool TicketKeys::fill(Key& key) {
  return RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
         RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
         RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
}

// Without randomness the old key goes on.
void TicketKeys::rotate(TimeMs now_ms) {
  if (now_ms < rotate_at_ms_) return;
  Key next;
  Key last = current_;
  // When nobody has come for so long, it has sealed nothing that still lives.
  const bool is_outdated = now_ms >= rotate_at_ms_ + kLifeMs;
  if (!fill(next) || (is_outdated && !fill(last))) return;
  previous_ = last;
  current_ = next;
  rotate_at_ms_ = now_ms + kLifeMs;
}

int TicketKeys::prepare(TimeMs now_ms, unsigned char* name, unsigned char* iv,
                        EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seals) {
  const std::lock_guard lock(mutex_);
  rotate(now_ms);
  Key* key = &current_;
  if (seals) {
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kError;
    std::copy(key->name.begin(), key->name.end(), name);
  } else if (!std::equal(key->name.begin(), key->name.end(), name)) {
    key = &previous_;
    if (!std::equal(key->name.begin(), key->name.end(), name)) return kUnknownKey;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
  const bool is_ready = EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(),
                                          iv, seals ? 1 : 0) == 1;
  if (!is_ready) return kError;
  return seals ? kSealed : kOpened;
}

}  // namespace chatd
