#include "client/lib/room_cipher.h"

#include <sodium/core.h>
#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_pwhash_argon2id.h>
#include <sodium/utils.h>

#include <algorithm>
#include <utility>

namespace chatd::client {
namespace {

constexpr char kFormat = 1;
constexpr unsigned long long kPasses = 3;
constexpr std::size_t kMemoryBytes = std::size_t{64} << 20;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(RoomCipher::kOverheadBytes == 1 + kNonceBytes + kTagBytes);
static_assert(RoomKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

void append_number(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

// With its length before it, so that no two lists of texts are the same bytes. Names have 255 bytes
// at most.
void append_text(std::string& bytes, std::string_view text) {
  bytes += static_cast<char>(text.size());
  bytes += text;
}

}  // namespace

// --- The key -------------------------------------------------------------------------------------

RoomKey::~RoomKey() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

tl::expected<RoomKey, Error> RoomKey::derive(std::string_view passphrase, std::string_view room) {
  if (sodium_init() < 0) return failure(ErrorKind::kInternal, "libsodium does not start");
  std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES> salt;
  const std::string salted = std::string("chatd/2 room key ") + std::string(room);
  crypto_generichash(salt.data(), salt.size(), bytes_of(salted), salted.size(), nullptr, 0);
  RoomKey key;
  if (crypto_pwhash_argon2id(key.bytes_.data(), key.bytes_.size(), passphrase.data(),
                             passphrase.size(), salt.data(), kPasses, kMemoryBytes,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return failure(ErrorKind::kInternal, "there are no 64 MiB of memory to make the room's key");
  }
  return key;
}

// --- Messages ------------------------------------------------------------------------------------

RoomCipher::RoomCipher(const RoomKey& key, std::string room, const Stream& stream)
    : key_(key), room_(std::move(room)), stream_(stream) {}

std::string RoomCipher::bound_to(std::string_view speaker) const {
  std::string bytes = "chatd/2 message";
  append_text(bytes, room_);
  append_text(bytes, speaker);
  return bytes;
}

std::string RoomCipher::seal(std::string_view speaker, std::string_view text) {
  std::string message(1, kFormat);
  message.append(stream_.begin(), stream_.end());
  append_number(message, next_number_++);
  const std::string bound = bound_to(speaker);
  message.resize(kOverheadBytes + text.size());
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes_of(message.data() + 1 + kNonceBytes), nullptr, bytes_of(text), text.size(),
      bytes_of(bound), bound.size(), nullptr, bytes_of(message.data() + 1), key_.bytes().data());
  return message;
}

RoomCipher::Result RoomCipher::open(std::string_view speaker, std::string_view bytes,
                                    std::string& text) {
  if (bytes.size() < kOverheadBytes || bytes.front() != kFormat) return Result::kFailed;
  const std::string_view nonce = bytes.substr(1, kNonceBytes);
  const std::string_view sealed = bytes.substr(1 + kNonceBytes);
  const std::string bound = bound_to(speaker);
  text.resize(sealed.size() - kTagBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          bytes_of(text.data()), nullptr, nullptr, bytes_of(sealed), sealed.size(), bytes_of(bound),
          bound.size(), bytes_of(nonce), key_.bytes().data()) != 0) {
    return Result::kFailed;
  }
  Stream stream;
  std::copy_n(nonce.begin(), kStreamBytes, stream.begin());
  return is_first(stream, read_number(nonce.substr(kStreamBytes))) ? Result::kOpened
                                                                   : Result::kRepeated;
}

bool RoomCipher::is_first(const Stream& stream, std::uint64_t number) {
  const auto [found, is_new] = opened_.try_emplace(stream);
  if (is_new) {
    streams_.push_back(stream);
    if (streams_.size() > kMaxStreams) {
      opened_.erase(streams_.front());
      streams_.pop_front();
    }
  }
  if (!found->second.is_new(number)) return false;
  found->second.mark(number);
  return true;
}

}  // namespace chatd::client
