// Which packet numbers of a session have been taken already, so that nobody on the path can have a
// datagram taken twice. Numbers grow; the window is as wide as reordering may be, and what lies
// behind it counts as taken. A ring of words, of which one more is kept than the window needs, so
// that moving on clears whole words and shifts nothing. Source: RFC 6479.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace chatd {

class ReplayWindow {
 public:
  static constexpr std::size_t kWords = 8;
  static constexpr std::uint64_t kWordBits = 64;
  // How far behind the newest number one may be.
  static constexpr std::uint64_t kSize = (kWords - 1) * kWordBits;

  // Whether this number is new. Ask before a datagram is opened, and mark it when it has opened.
  bool is_new(std::uint64_t number) const {
    if (number >= next_) return true;
    if (next_ - number > kSize) return false;
    return (word(number) & bit(number)) == 0;
  }
  void mark(std::uint64_t number) {
    if (number >= next_) advance(number + 1);
    word(number) |= bit(number);
  }
  // One more than the newest.
  std::uint64_t next() const { return next_; }

  // For a hand-over.
  using Words = std::array<std::uint64_t, kWords>;
  const Words& words() const { return words_; }
  void restore(std::uint64_t next, const Words& words) {
    next_ = next;
    words_ = words;
  }

 private:
  static std::size_t index(std::uint64_t number) { return number / kWordBits % kWords; }
  static std::uint64_t bit(std::uint64_t number) { return std::uint64_t{1} << number % kWordBits; }
  std::uint64_t& word(std::uint64_t number) { return words_[index(number)]; }
  std::uint64_t word(std::uint64_t number) const { return words_[index(number)]; }

  void advance(std::uint64_t next) {
    const std::uint64_t from = next_ == 0 ? 0 : (next_ - 1) / kWordBits + 1;
    const std::uint64_t to = (next - 1) / kWordBits;
    if (to >= from) {
      const std::uint64_t count = std::min<std::uint64_t>(to - from + 1, kWords);
      for (std::uint64_t i = 0; i < count; ++i) words_[(to - i) % kWords] = 0;
    }
    next_ = next;
  }

  std::uint64_t next_ = 0;
  Words words_{};
};

}  // namespace chatd
