// How far the members of a room have got with the messages that wait there.
//
// A large room is served in slices, and between two slices more is said. Whoever is served later
// gets more at once, in a longer train, and the next round begins where the last one ended, as a
// lift goes on from where it is. So at any moment the members form a few spans, of which each has
// got so many of the waiting messages, and the one that has got fewest is served next. Most rooms
// are served as a whole: they have no spans, and no memory for them.
//
// Thread: one at a time. Allocates in reserve_for() only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace chatd {

class Progress {
 public:
  // Members at positions begin..end-1 of the room have got the first `sent` messages.
  struct Span {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t sent;
  };

  // A slice is so many members at least, or all that are left of a span.
  static constexpr std::uint32_t kMinSlice = 16;

  void reserve_for(std::uint32_t room_size) {
    if (room_size > kMinSlice) spans_.reserve(std::bit_ceil(room_size) / (kMinSlice / 2) + 2);
  }

  // Who is served next. They have got none of the messages that wait.
  Span next(std::uint32_t room_size) const {
    return spans_.empty() ? Span{.begin = 0, .end = room_size, .sent = 0} : spans_.front();
  }
  // So many of the waiting messages have gone to somebody.
  std::uint32_t most_sent() const { return spans_.empty() ? 0 : spans_.back().sent; }

  // The first `count` members of next() have got the first `messages` messages. Returns how many
  // messages everybody has now got: they wait no longer.
  std::uint32_t advance(std::uint32_t room_size, std::uint32_t count, std::uint32_t messages) {
    if (spans_.empty()) {
      if (count == room_size) return messages;
      spans_.push_back({.begin = 0, .end = room_size, .sent = 0});
    }
    const std::uint32_t begin = spans_.front().begin;
    spans_.front().begin += count;
    if (spans_.front().begin == spans_.front().end) spans_.erase(spans_.begin());
    put_last({.begin = begin, .end = begin + count, .sent = messages});

    const std::uint32_t common = spans_.front().sent;
    if (spans_.back().sent == common) {
      spans_.clear();
    } else if (common > 0) {
      for (Span& span : spans_) span.sent -= common;
    }
    return common;
  }

 private:
  void put_last(const Span& span) {
    if (!spans_.empty() && spans_.back().end == span.begin && spans_.back().sent == span.sent) {
      spans_.back().end = span.end;
    } else {
      spans_.push_back(span);
    }
  }

  std::vector<Span> spans_;  // by `sent`, fewest first; none: nobody has got anything
};

}  // namespace chatd
