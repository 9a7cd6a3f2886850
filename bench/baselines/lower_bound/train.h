// Messages for the same receivers, one after the other in memory, as UDP_SEGMENT wants them: all of
// one size, except that the last may be shorter (udp(7)).
//
// They are copied into one piece because the kernel then takes them in one piece: with an iovec for
// each message instead, a train of 64 costs a receiver with UDP_GRO half as much again (the copy
// included), and one without 5 % more.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace chatd::bench {

class Train {
 public:
  using Sender = std::uint32_t;

  static constexpr std::size_t kMaxSegments = 64;   // UDP_MAX_SEGMENTS before Linux 6.9
  static constexpr std::size_t kMaxBytes = 65'507;  // of a datagram over IPv4

  // False: it does not fit behind what there is. An empty train takes any message of a datagram's
  // size.
  bool add(Sender sender, std::string_view message);
  void clear();

  std::size_t count() const { return count_; }
  std::size_t segment_bytes() const { return segment_bytes_; }
  iovec all() { return {.iov_base = bytes_.data(), .iov_len = size_bytes_}; }

  // Those who sent something, each once, in ascending order. Until the next call.
  std::span<const Sender> senders();

  // Appends the pieces of the train that are not this sender's, and returns how many messages that
  // is.
  std::size_t without(Sender sender, std::vector<iovec>& pieces);

 private:
  std::size_t count_ = 0;
  std::size_t segment_bytes_ = 0;
  std::size_t size_bytes_ = 0;
  std::array<Sender, kMaxSegments> sender_of_{};
  std::array<Sender, kMaxSegments> senders_{};
  std::array<char, kMaxBytes> bytes_{};
};

}  // namespace chatd::bench
