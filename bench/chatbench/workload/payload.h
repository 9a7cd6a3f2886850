// What a simulated member says, and how it is known again.
//
//   {"sender":"m0000012","message":"000003e8 and then filler up to the size"}
//              ^ member               ^ number of the message, 8 hexadecimal digits
//
// It is a message as any client would send it: chatd checks that the sender is the member's own
// name. Every field stands at a fixed place, so that writing one is a copy and two small patches,
// and checking one is a few comparisons, all bytes included: what arrives is what was sent, or it
// is counted as corrupted.
//
// Thread: pure functions; a writer one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::bench {

inline constexpr std::string_view kPayloadStart = R"({"sender":")";
inline constexpr std::string_view kPayloadMiddle = R"(","message":")";
inline constexpr std::string_view kPayloadEnd = R"("})";
inline constexpr std::size_t kMemberNameBytes = 8;
inline constexpr std::size_t kNumberBytes = 8;
inline constexpr std::size_t kNameAt = kPayloadStart.size();
inline constexpr std::size_t kNumberAt = kNameAt + kMemberNameBytes + kPayloadMiddle.size();
inline constexpr std::size_t kFillerAt = kNumberAt + kNumberBytes;
inline constexpr std::size_t kMinPayloadBytes = kFillerAt + kPayloadEnd.size();
// With a room's name, a token and the header it is a datagram of at most 4,096.
inline constexpr std::size_t kMaxPayloadBytes = 4000;
inline constexpr std::uint32_t kMaxMembers = 10'000'000;

// "m0000012". `member` is below kMaxMembers.
std::string member_name(std::uint32_t member);

// The name as one comparable value.
using NameWord = std::uint64_t;
NameWord name_word(std::uint32_t member);

struct DecodedPayload {
  NameWord sender;
  std::uint32_t number;
};

class PayloadCodec {
 public:
  // `max_bytes` is at most kMaxPayloadBytes.
  explicit PayloadCodec(std::size_t max_bytes);

  // Valid until the next call. `bytes` is kMinPayloadBytes at least.
  std::string_view encode(NameWord sender, std::uint32_t number, std::size_t bytes);

  // Nothing when it is not, byte for byte, what encode() makes of some sender, number and size.
  std::optional<DecodedPayload> decode(std::string_view payload) const {
    if (payload.size() < kMinPayloadBytes || payload.size() > filler_.size()) return std::nullopt;
    const char* const p = payload.data();
    const std::size_t filler_bytes = payload.size() - kMinPayloadBytes;
    const bool is_whole =
        std::memcmp(p, kPayloadStart.data(), kPayloadStart.size()) == 0 &&
        std::memcmp(p + kNameAt + kMemberNameBytes, kPayloadMiddle.data(), kPayloadMiddle.size()) ==
            0 &&
        std::memcmp(p + kFillerAt, filler_.data(), filler_bytes) == 0 &&
        std::memcmp(p + kFillerAt + filler_bytes, kPayloadEnd.data(), kPayloadEnd.size()) == 0;
    std::uint32_t number = 0;
    if (!is_whole || !parse_number(p + kNumberAt, number)) return std::nullopt;
    NameWord sender = 0;
    std::memcpy(&sender, p + kNameAt, sizeof sender);
    return DecodedPayload{sender, number};
  }

 private:
  // Eight digits of 0-9a-f at once: each byte of a word becomes its nibble, and then neighbours are
  // joined, two, four and eight at a time.
  static bool parse_number(const char* digits, std::uint32_t& number) {
    std::uint64_t word = 0;
    std::memcpy(&word, digits, sizeof word);
    constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
    const std::uint64_t is_letter = (word >> 6) & kOnes;  // a-f: 0x61..0x66
    const std::uint64_t nibbles = (word & (kOnes * 0x0f)) + is_letter * 9;
    std::uint64_t joined = __builtin_bswap64(nibbles);  // the first digit is the highest
    joined = (joined | joined >> 4) & 0x00ff'00ff'00ff'00ff;
    joined = (joined | joined >> 8) & 0x0000'ffff'0000'ffff;
    number = static_cast<std::uint32_t>(joined | joined >> 16);
    std::uint64_t again = 0;
    write_number(reinterpret_cast<char*>(&again), number);
    return again == word;
  }
  static void write_number(char* digits, std::uint32_t number) {
    std::uint64_t spread = number;
    spread = (spread | spread << 16) & 0x0000'ffff'0000'ffff;
    spread = (spread | spread << 8) & 0x00ff'00ff'00ff'00ff;
    spread = (spread | spread << 4) & 0x0f0f'0f0f'0f0f'0f0f;
    // Nibbles above nine: adding six carries into bit 4.
    constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
    const std::uint64_t is_letter = ((spread + kOnes * 6) >> 4) & kOnes;
    const std::uint64_t text = spread + kOnes * '0' + is_letter * ('a' - '0' - 10);
    const std::uint64_t first_is_highest = __builtin_bswap64(text);
    std::memcpy(digits, &first_is_highest, sizeof first_is_highest);
  }

  std::string filler_;
  std::string payload_;
  std::size_t last_end_ = 0;  // where the last one's kPayloadEnd stands
};

}  // namespace chatd::bench
