// Reads an input as a list of decisions: so many bytes for each, from the front. An input that is
// at its end reads as zeros, so that every input means something and shorter ones mean less.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatd::test {

class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}

  bool at_end() const { return left_.empty(); }

  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  std::uint16_t two_bytes() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  // 0 to below - 1; `below` is at most 256.
  std::size_t index(std::size_t below) { return byte() % below; }
  bool flag() { return (byte() & 1) != 0; }

  // At most so many bytes.
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  // A length in one byte, then as many bytes.
  std::string_view text() { return bytes(byte()); }
  std::string_view rest() { return bytes(left_.size()); }

 private:
  std::string_view left_;
};

}  // namespace chatd::test
