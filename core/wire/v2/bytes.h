// Reading and writing the numbers and bytes that protocol v2's frames are made of.
//
// A varint is a number below 2^62 in one, two, four or eight bytes, big-endian; the two highest
// bits of the first byte say in how many. Source: RFC 9000, section 16. A number may be written
// longer than it need be, as there.
//
// Thread: pure functions; views point into the caller's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chatd::v2 {

inline constexpr std::uint64_t kMaxVarint = (std::uint64_t{1} << 62) - 1;
inline constexpr std::size_t kMaxVarintBytes = 8;

// In how many bytes it is written at least.
constexpr std::size_t varint_bytes(std::uint64_t value) {
  if (value < (1u << 6)) return 1;
  if (value < (1u << 14)) return 2;
  return value < (1u << 30) ? 4 : kMaxVarintBytes;
}

// Reads from the front; after the first read that fails all fail.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool varint(std::uint64_t& value) {
    if (rest_.empty()) return false;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    const std::size_t size_bytes = std::size_t{1} << (first >> 6);
    if (rest_.size() < size_bytes) return fail();
    value = first & 0x3f;
    for (std::size_t i = 1; i < size_bytes; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
    }
    rest_.remove_prefix(size_bytes);
    return true;
  }
  bool byte(std::uint8_t& value) {
    if (rest_.empty()) return false;
    value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool bytes(std::uint64_t size_bytes, std::string_view& value) {
    if (size_bytes > rest_.size()) return fail();
    value = rest_.substr(0, size_bytes);
    rest_.remove_prefix(size_bytes);
    return true;
  }
  // A varint, and as many bytes.
  bool sized(std::string_view& value) {
    std::uint64_t size_bytes = 0;
    return varint(size_bytes) && bytes(size_bytes, value);
  }

  bool is_empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  bool fail() {
    rest_ = {};
    return false;
  }

  std::string_view rest_;
};

// Writes one thing after the other; the caller has made sure that there is room.
class ByteWriter {
 public:
  explicit ByteWriter(char* to) : to_(to) {}

  void byte(std::uint8_t value) { *to_++ = static_cast<char>(value); }
  void varint(std::uint64_t value) {
    if (value < (1u << 6)) {
      byte(static_cast<std::uint8_t>(value));
    } else if (value < (1u << 14)) {
      byte(static_cast<std::uint8_t>(0x40 | value >> 8));
      byte(static_cast<std::uint8_t>(value));
    } else if (value < (1u << 30)) {
      write(value | std::uint64_t{2} << 30, 4);
    } else {
      write(value | std::uint64_t{3} << 62, kMaxVarintBytes);
    }
  }
  void bytes(std::string_view value) {
    if (!value.empty()) std::memcpy(to_, value.data(), value.size());
    to_ += value.size();
  }
  void sized(std::string_view value) {
    varint(value.size());
    bytes(value);
  }

  char* end() const { return to_; }

 private:
  // Big-endian.
  void write(std::uint64_t value, std::size_t size_bytes) {
    for (std::size_t i = size_bytes; i-- > 0; value >>= 8) to_[i] = static_cast<char>(value);
    to_ += size_bytes;
  }

  char* to_;
};

// A number of eight bytes, big-endian.
inline std::uint64_t load_u64(const char* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = value << 8 | static_cast<std::uint8_t>(from[i]);
  }
  return value;
}
inline void store_u64(std::uint64_t value, char* to) {
  for (std::size_t i = sizeof value; i-- > 0; value >>= 8) to[i] = static_cast<char>(value);
}

}  // namespace chatd::v2
