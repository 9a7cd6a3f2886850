// SipHash-2-4 under a key of this process: whoever chooses names cannot make them collide without
// the key. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; libsodium's
// crypto_shorthash.
#pragma once

#include <sodium/crypto_shorthash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chatd {

class KeyedHash {
 public:
  using Key = std::array<std::uint8_t, crypto_shorthash_KEYBYTES>;

  explicit KeyedHash(const Key& key) : key_(key) {}

  std::uint64_t operator()(std::string_view bytes) const {
    std::array<std::uint8_t, crypto_shorthash_BYTES> digest;
    crypto_shorthash(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), key_.data());
    std::uint64_t value = 0;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }

 private:
  Key key_;
};

}  // namespace chatd
