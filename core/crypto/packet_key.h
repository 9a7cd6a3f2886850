// The keys that seal protocol v2's datagrams, and sealing and opening itself.
//
// A session has one secret of 32 bytes, told over TLS; each direction has a key of its own, made
// from it. A key serves 2^22 packets, and then the next is made from it and the old one forgotten
// (RFC 9001, section 6.6, allows 2^23 with AES-GCM; forgetting keeps what was said before a key was
// stolen). Which key a packet is sealed under follows from its number alone, so that both sides
// change without a word, and nothing has to be agreed when both do so at once.
//
// The seal is an AEAD of libsodium's: AES-256-GCM where the processor has it (NIST SP 800-38D),
// ChaCha20-Poly1305 elsewhere (RFC 8439). The nonce is the packet number, which is never used twice
// under a key; the header is sealed as additional data.
//
// Thread: one at a time. Nothing is allocated.
#pragma once

#include <sodium/crypto_aead_aes256gcm.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/crypto/replay_window.h"
#include "core/wire/v2/datagram.h"

namespace chatd {

enum class Cipher : std::uint8_t { kAes256Gcm, kChaCha20Poly1305 };

// "aes-256-gcm": as the join's answer names it.
std::string_view cipher_name(Cipher cipher);
// The one that is faster here. Call sodium_init() first.
Cipher fastest_cipher();

using SessionSecret = std::array<std::uint8_t, 32>;
inline constexpr std::uint64_t kPacketsPerKey = std::uint64_t{1} << 22;

enum class Direction : std::uint8_t { kToServer, kToClient };

// The key of one direction, at one moment. Wiped when it goes.
class PacketKey {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  PacketKey() = default;
  PacketKey(const SessionSecret& secret, Direction direction);
  // The one that was in use at this epoch, for a hand-over.
  PacketKey(const Bytes& bytes, std::uint64_t epoch) : bytes_(bytes), epoch_(epoch) {}
  PacketKey(const PacketKey&) = default;
  PacketKey& operator=(const PacketKey&) = default;
  ~PacketKey();

  // How often it was replaced.
  std::uint64_t epoch() const { return epoch_; }
  const Bytes& bytes() const { return bytes_; }
  PacketKey next() const;
  // Becomes the one that this packet is sealed under, which is this one or a later one.
  void advance_to(std::uint64_t packet_number);

  static constexpr std::uint64_t epoch_of(std::uint64_t packet_number) {
    return packet_number / kPacketsPerKey;
  }

 private:
  Bytes bytes_{};
  std::uint64_t epoch_ = 0;
};

// Seals datagrams, those of one session one after another: AES' key is expanded once for all of
// them (some 50 ns, and 512 bytes that nobody has to keep for each session).
class Sealer {
 public:
  Sealer() = default;
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  // What is sealed from here on is sealed so.
  void use(Cipher cipher, const PacketKey& key);
  // Writes a whole datagram of v2::kOverheadBytes and the size of `plain`; returns its end.
  char* seal(v2::SessionId session, std::uint64_t packet_number, std::string_view plain, char* to);

 private:
  Cipher cipher_ = Cipher::kChaCha20Poly1305;
  crypto_aead_aes256gcm_state expanded_{};
  PacketKey key_;
};

// Writes the frames of a datagram to `plain`: v2::kTagBytes less than what is sealed. False: it was
// not sealed under this key; what was written means nothing.
bool open_datagram(Cipher cipher, const PacketKey& key, const v2::Datagram& datagram, char* plain);

enum class Opening : std::uint8_t { kOpened, kReplayed, kFailed };

// The same for a receiver, who takes each packet once, and follows the sender to its next key as
// soon as something sealed under that has opened. Unless it opens, nothing changes.
Opening open_once(Cipher cipher, PacketKey& key, ReplayWindow& taken, const v2::Datagram& datagram,
                  char* plain);

}  // namespace chatd
