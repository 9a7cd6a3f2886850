// Randomness for tokens, salts and hash keys, stretched from one seed by ChaCha20 (RFC 8439): the
// same seed gives the same bytes, so that a simulation can be replayed; a secret seed (from the
// kernel, in chatd) gives secret ones. Thread: one at a time.
#pragma once

#include <sodium/crypto_stream_chacha20.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatd {

class RandomStream {
 public:
  using Seed = std::array<std::uint8_t, crypto_stream_chacha20_KEYBYTES>;

  explicit RandomStream(const Seed& seed) : seed_(seed) {}

  template <std::size_t kBytes>
  std::array<std::uint8_t, kBytes> next() {
    // A nonce of its own for each call, so that no two calls see the same part of the stream.
    std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
    for (std::size_t i = 0; i < sizeof calls_; ++i) {
      nonce[i] = static_cast<std::uint8_t>(calls_ >> (8 * i));
    }
    ++calls_;
    std::array<std::uint8_t, kBytes> bytes;
    crypto_stream_chacha20(bytes.data(), bytes.size(), nonce.data(), seed_.data());
    return bytes;
  }

 private:
  Seed seed_;
  std::uint64_t calls_ = 0;
};

}  // namespace chatd
