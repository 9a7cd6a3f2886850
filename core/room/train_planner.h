// How a room's messages are put into as few datagrams as possible.
//
// Linux takes several datagrams for one destination as one, and cuts it where they begin
// (UDP_SEGMENT, udp(7)): a train. One train costs about as much as one datagram, so a member that
// gets 64 messages in a train costs a tenth or less of 64 datagrams. The rules of a train: all its
// segments have one size, but the last may be shorter; there are at most 64 of them (the kernel's
// UDP_MAX_SEGMENTS; 128 since 6.9); together they fit one UDP datagram; and each fits the path's
// MTU, for a train is never fragmented.
//
// People write messages of all sizes. What may be moved to make trains longer: messages of
// different senders, which were all waiting when the first of them goes out, so that none answers
// another. What may not: the messages of one sender among themselves.
//
// Pure functions; thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace chatd {

struct TrainLimits {
  std::uint32_t max_segments = 64;  // 1: no trains
  std::uint32_t max_segment_bytes = 1472;
};

inline constexpr std::uint32_t kMaxTrainBytes = 65'507;  // a UDP datagram over IPv4
inline constexpr std::uint32_t kMaxPlannedMessages = 64;

// Some of the messages of one plan, a bit each.
using MessageSet = std::uint64_t;
static_assert(kMaxPlannedMessages <= 64);

constexpr MessageSet bit(std::uint32_t index) {
  return MessageSet{1} << index;
}

struct MessageShape {
  std::uint32_t sender;
  std::uint32_t size_bytes;
};

// `order` lists the messages by index, as they are to be laid out; each train is a range of it.
struct TrainPlan {
  struct Train {
    std::uint8_t first;  // in `order`
    std::uint8_t count;
  };
  std::array<std::uint8_t, kMaxPlannedMessages> order;
  std::array<Train, kMaxPlannedMessages> trains;
  std::uint32_t train_count = 0;
};

// At most kMaxPlannedMessages messages, in the order in which they came.
void plan_trains(std::span<const MessageShape> messages, const TrainLimits& limits,
                 TrainPlan& plan);

}  // namespace chatd
