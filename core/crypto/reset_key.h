// How a server proves to a client that it is the one, and does not know its session: by a token
// that was told to the client over TLS with the session (RFC 9000, section 10.3). It follows from
// the session's id and a key, so that nothing has to be remembered of sessions that are gone.
// Thread: any.
#pragma once

#include <sodium/crypto_generichash.h>

#include <array>
#include <cstdint>

#include "core/wire/v2/datagram.h"

namespace chatd {

class ResetKey {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  explicit ResetKey(const Bytes& bytes) : bytes_(bytes) {}

  const Bytes& bytes() const { return bytes_; }

  v2::ResetToken token_of(v2::SessionId session) const {
    std::array<char, sizeof(std::uint64_t)> id;
    v2::store_u64(session.value(), id.data());
    v2::ResetToken token;
    crypto_generichash(token.data(), token.size(),
                       reinterpret_cast<const unsigned char*>(id.data()), id.size(), bytes_.data(),
                       bytes_.size());
    return token;
  }

 private:
  Bytes bytes_;
};

}  // namespace chatd
