#include "core/crypto/packet_key.h"

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

namespace chatd {
namespace {

static_assert(sizeof(PacketKey::Bytes) == crypto_aead_aes256gcm_KEYBYTES);
static_assert(sizeof(PacketKey::Bytes) == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
static_assert(v2::kTagBytes == crypto_aead_aes256gcm_ABYTES);
static_assert(v2::kTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(crypto_aead_aes256gcm_NPUBBYTES == crypto_aead_chacha20poly1305_ietf_NPUBBYTES);

// BLAKE2b (RFC 7693) of the purpose, under the key that the new one is made from.
PacketKey::Bytes derive(const std::array<std::uint8_t, 32>& from, std::string_view purpose) {
  PacketKey::Bytes key;
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(purpose.data()),
                     purpose.size(), from.data(), from.size());
  return key;
}

// Four zeros and the number.
using Nonce = std::array<std::uint8_t, crypto_aead_aes256gcm_NPUBBYTES>;
Nonce nonce_of(std::uint64_t packet_number) {
  Nonce nonce{};
  v2::store_u64(packet_number, reinterpret_cast<char*>(&nonce[4]));
  return nonce;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string_view cipher_name(Cipher cipher) {
  return cipher == Cipher::kAes256Gcm ? "aes-256-gcm" : "chacha20-poly1305";
}

Cipher fastest_cipher() {
  return crypto_aead_aes256gcm_is_available() == 1 ? Cipher::kAes256Gcm : Cipher::kChaCha20Poly1305;
}

PacketKey::PacketKey(const SessionSecret& secret, Direction direction)
    : bytes_(derive(
          secret, direction == Direction::kToServer ? "chatd/2 to server" : "chatd/2 to client")) {}

PacketKey::~PacketKey() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

PacketKey PacketKey::next() const {
  return {derive(bytes_, "chatd/2 next key"), epoch_ + 1};
}

void PacketKey::advance_to(std::uint64_t packet_number) {
  while (epoch_ < epoch_of(packet_number)) *this = next();
}

Sealer::~Sealer() {
  sodium_memzero(&expanded_, sizeof expanded_);
}

void Sealer::use(Cipher cipher, const PacketKey& key) {
  cipher_ = cipher;
  if (cipher_ == Cipher::kAes256Gcm) {
    crypto_aead_aes256gcm_beforenm(&expanded_, key.bytes().data());
  } else {
    key_ = key;
  }
}

char* Sealer::seal(v2::SessionId session, std::uint64_t packet_number, std::string_view plain,
                   char* to) {
  v2::write_header(session, packet_number, to);
  const Nonce nonce = nonce_of(packet_number);
  const auto* const header = reinterpret_cast<const unsigned char*>(to);
  auto* const sealed = reinterpret_cast<unsigned char*>(to + v2::kHeaderBytes);
  if (cipher_ == Cipher::kAes256Gcm) {
    crypto_aead_aes256gcm_encrypt_afternm(sealed, nullptr, bytes_of(plain), plain.size(), header,
                                          v2::kHeaderBytes, nullptr, nonce.data(), &expanded_);
  } else {
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, nullptr, bytes_of(plain), plain.size(),
                                              header, v2::kHeaderBytes, nullptr, nonce.data(),
                                              key_.bytes().data());
  }
  return to + v2::kOverheadBytes + plain.size();
}

bool open_datagram(Cipher cipher, const PacketKey& key, const v2::Datagram& datagram, char* plain) {
  const Nonce nonce = nonce_of(datagram.packet_number);
  auto* const to = reinterpret_cast<unsigned char*>(plain);
  const unsigned char* const sealed = bytes_of(datagram.sealed);
  const unsigned char* const header = bytes_of(datagram.header);
  if (cipher == Cipher::kAes256Gcm) {
    return crypto_aead_aes256gcm_decrypt(to, nullptr, nullptr, sealed, datagram.sealed.size(),
                                         header, datagram.header.size(), nonce.data(),
                                         key.bytes().data()) == 0;
  }
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             to, nullptr, nullptr, sealed, datagram.sealed.size(), header, datagram.header.size(),
             nonce.data(), key.bytes().data()) == 0;
}

Opening open_once(Cipher cipher, PacketKey& key, ReplayWindow& taken, const v2::Datagram& datagram,
                  char* plain) {
  if (!taken.is_new(datagram.packet_number)) return Opening::kReplayed;
  const std::uint64_t epoch = PacketKey::epoch_of(datagram.packet_number);
  if (epoch == key.epoch()) {
    if (!open_datagram(cipher, key, datagram, plain)) return Opening::kFailed;
  } else if (epoch == key.epoch() + 1) {
    const PacketKey next = key.next();
    if (!open_datagram(cipher, next, datagram, plain)) return Opening::kFailed;
    key = next;
  } else {
    return Opening::kFailed;
  }
  taken.mark(datagram.packet_number);
  return Opening::kOpened;
}

}  // namespace chatd
