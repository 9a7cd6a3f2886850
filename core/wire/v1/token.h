// A member's token: 128 bits, told to the member once over TCP and shown in each of its datagrams.
//
//   byte 0       shard that owns the room   (a BPF program can read it and steer the datagram)
//   bytes 1..3   the member's slot there    (so that a member is found by index, not by search)
//   bytes 4..15  96 secret random bits
//
// The whole token is compared in constant time, so that the answer's timing tells nothing about the
// secret. On the wire it is 32 hexadecimal characters, or the 16 raw bytes (one existing client
// sends those).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatd {

inline constexpr std::size_t kTokenBytes = 16;
inline constexpr std::size_t kTokenHexBytes = 2 * kTokenBytes;
inline constexpr std::size_t kTokenSecretBytes = 12;
inline constexpr std::uint32_t kMaxTokenSlot = 0xff'ffff;

class Token {
 public:
  Token() = default;
  // `slot` is at most kMaxTokenSlot.
  Token(std::uint8_t shard, std::uint32_t slot,
        const std::array<std::uint8_t, kTokenSecretBytes>& secret);

  // Either form, told apart by its length. Hexadecimal digits may be of either case.
  static std::optional<Token> parse(std::string_view wire);

  // The shard that a token names, of either form; the rest is not looked at.
  static std::optional<std::uint8_t> shard_in(std::string_view wire);

  std::uint8_t shard() const { return bytes_[0]; }
  std::uint32_t slot() const;
  std::string hex() const;
  std::string_view raw() const;

  // Constant time.
  bool operator==(const Token& other) const;

 private:
  std::array<std::uint8_t, kTokenBytes> bytes_{};
};

}  // namespace chatd
