// Secrecy from the server: what is said under a room's key, a passphrase that its members tell each
// other elsewhere, can be read by those who know it and by nobody else.
//
// The server takes it as bytes that are not for it (content type 2), numbers it and passes it on.
// It sees who speaks, when, and how much. It can leave something out or hold it back; it cannot
// read, change or invent anything, nor say that somebody else has said it (room and speaker are
// sealed with the text), nor say it again to somebody who has heard it (each program that speaks
// counts its messages). Among those who know the key, each could pretend to be another.
//
// Bytes of a message: 01, nonce (24), sealed text, tag (16). The nonce is 16 random bytes, which
// are the program's for as long as it runs (a stream), and the message's number in it (8, the most
// significant first). Sources: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) in libsodium; Argon2id
// (RFC 9106), with three passes over 64 MiB, the second of its recommendations with one lane.
//
// Thread: one at a time; no I/O. What is random is given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "core/crypto/replay_window.h"

namespace chatd::client {

// Made from a passphrase and the room's name, so that one passphrase for two rooms makes two keys.
// Wiped when it goes.
class RoomKey {
 public:
  static constexpr std::size_t kBytes = 32;

  // Takes a tenth of a second and 64 MiB, so that guessing is dear; kInternal without that memory.
  static tl::expected<RoomKey, Error> derive(std::string_view passphrase, std::string_view room);

  RoomKey(const RoomKey&) = default;
  RoomKey& operator=(const RoomKey&) = default;
  ~RoomKey();

  const std::array<unsigned char, kBytes>& bytes() const { return bytes_; }

 private:
  RoomKey() = default;

  std::array<unsigned char, kBytes> bytes_{};
};

class RoomCipher {
 public:
  static constexpr std::size_t kStreamBytes = 16;
  using Stream = std::array<unsigned char, kStreamBytes>;
  // What a message is longer than its text.
  static constexpr std::size_t kOverheadBytes = 1 + 24 + 16;
  // Streams that are remembered; the oldest gives way.
  static constexpr std::size_t kMaxStreams = 4096;

  // `stream`: random bytes that no other RoomCipher has.
  RoomCipher(const RoomKey& key, std::string room, const Stream& stream);

  std::string seal(std::string_view speaker, std::string_view text);

  enum class Result : std::uint8_t {
    kOpened,
    kRepeated,  // it has been opened before: somebody says again what `speaker` has said
    kFailed,    // sealed under another key, for another room, by another speaker, or changed
  };
  // Unless it opens, `text` means nothing, and nothing changes.
  Result open(std::string_view speaker, std::string_view bytes, std::string& text);

 private:
  std::string bound_to(std::string_view speaker) const;
  bool is_first(const Stream& stream, std::uint64_t number);

  RoomKey key_;
  std::string room_;
  Stream stream_;
  std::uint64_t next_number_ = 0;
  std::map<Stream, ReplayWindow> opened_;
  std::deque<Stream> streams_;  // the oldest first
};

}  // namespace chatd::client
