// Protocol v2's datagrams, in both directions (docs/reference/protocol-v2.md, "Datagrams").
//
//   0     1         2            10              18              n-16
//   +-----+---------+------------+---------------+---------------+-----+
//   |  0  | version | session id | packet number | sealed frames | tag |
//   +-----+---------+------------+---------------+---------------+-----+
//
// A datagram of protocol v1 never begins with 0, so both share a port. A reset has the same header,
// and 16 bytes by which the client knows that it comes from its server: it says that the session is
// not known there. It is shorter than any datagram that it answers, so no two servers (or clients)
// can answer each other for ever.
//
// Thread: pure functions; views point into the caller's bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wire/v2/bytes.h"

namespace chatd::v2 {

inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::size_t kHeaderBytes = 18;
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kOverheadBytes = kHeaderBytes + kTagBytes;
// At least one byte is sealed.
inline constexpr std::size_t kMinDatagramBytes = kOverheadBytes + 1;
// What every path takes (RFC 9000, section 14): UDP payload, so that IPv6's 1,280 hold it.
inline constexpr std::size_t kMaxBundleBytes = 1200;
inline constexpr std::size_t kMaxBundlePlainBytes = kMaxBundleBytes - kOverheadBytes;

// 64 bits that name a session and are no secret:
//   byte 0       shard that owns the room (the steering program reads it)
//   bytes 1..3   the member's slot there
//   bytes 4..7   random, so that an id is not used again while somebody remembers it
class SessionId {
 public:
  SessionId() = default;
  explicit SessionId(std::uint64_t value) : value_(value) {}
  SessionId(std::uint8_t shard, std::uint32_t slot, std::uint32_t random)
      : value_(std::uint64_t{shard} << 56 | std::uint64_t{slot & 0xff'ffff} << 32 | random) {}

  std::uint8_t shard() const { return static_cast<std::uint8_t>(value_ >> 56); }
  std::uint32_t slot() const { return static_cast<std::uint32_t>(value_ >> 32) & 0xff'ffff; }
  std::uint64_t value() const { return value_; }
  bool operator==(const SessionId&) const = default;

 private:
  std::uint64_t value_ = 0;
};

struct Datagram {
  SessionId session;
  std::uint64_t packet_number = 0;
  std::string_view header;  // what the seal covers beside the frames
  std::string_view sealed;  // frames and tag
};

// Whether it is of protocol v2, whatever its version.
inline bool is_v2(std::string_view bytes) {
  return !bytes.empty() && bytes.front() == '\0';
}

// Nothing when it is cut short or of another version.
std::optional<Datagram> parse_datagram(std::string_view bytes);

// The shard that its session names, without looking at anything else. Nothing when there is none.
std::optional<std::uint8_t> shard_of_datagram(std::string_view bytes);

// Writes kHeaderBytes.
void write_header(SessionId session, std::uint64_t packet_number, char* to);

using ResetToken = std::array<std::uint8_t, kTagBytes>;

// The datagram that answers one of an unknown session.
std::array<char, kOverheadBytes> make_reset(const Datagram& answered, const ResetToken& token);
// Whether a datagram that does not open is a reset with this token. Constant time.
bool is_reset(std::string_view bytes, const ResetToken& token);

}  // namespace chatd::v2
