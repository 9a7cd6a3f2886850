// What the relay wants the outside world to send: a caller-owned batch of datagrams, each once,
// with all its destinations.
//
// A send group is a list of trains that go to each of a range of destinations, in that order. A
// train is one datagram, or several that are handed to the kernel as one
// (core/room/train_planner.h); its bytes lie in one piece or, where some messages of it are left
// out for this destination, in a few. So a room's messages are laid out once, and what differs
// between members is a list of pieces.
//
// The outbox owns all bytes (but for constants) and all destinations, so that members may come and
// go and buffers be used again before the batch is sent. Memory is reserved for `soft_limit` units
// of work and one more full room: who calls the relay looks at is_full() between two calls and
// sends first when it is. Then nothing is allocated for messages. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/endpoint.h"

namespace chatd {

class Outbox {
 public:
  enum class Kind : std::uint8_t {
    kMessage,  // a member's words: the ledger follows each delivery
    kBundle,   // entries of a log for a member with protocol v2, who asks again for what is lost
    kLargeBundle,  // the same, larger than every path takes: rather lost than cut on its way
    kProbe,        // whether a path takes a datagram of this size: lost rather than cut as well
    kNotice,       // the server's own
    kAnswer,       // to one datagram: it was not authenticated, or a heartbeat that asks
  };

  struct Train {
    std::uint32_t first_piece;
    std::uint32_t piece_count;
    std::uint32_t message_count;  // 1: a plain datagram
    std::uint32_t segment_bytes;  // of every message but the last, which may be shorter
  };

  struct SendGroup {
    std::uint32_t first_train;
    std::uint32_t train_count;
    std::uint32_t first_destination;
    std::uint32_t destination_count;
    Kind kind;
  };

  // What a datagram costs to send, in units of what one more message in it costs: measured on
  // loopback, see docs/internals/performance.md.
  static constexpr std::uint32_t kWorkPerTrain = 4;

  Outbox(std::uint32_t soft_limit, std::uint32_t max_room_members);

  // A send group is opened, trains are added to it, and then destinations. Pieces are added to the
  // train opened last; their bytes must stay valid until clear().
  void open(Kind kind);
  void open_train(std::uint32_t segment_bytes);
  void add_piece(std::string_view bytes, std::uint32_t message_count);
  void add(const Endpoint& destination);
  void add(std::span<const Endpoint> destinations);

  // Memory for bytes that pieces will name; it stays until clear().
  char* allocate(std::size_t size_bytes);

  // A send group of one datagram.
  void open(Kind kind, std::string_view datagram);
  // The same for bytes that the relay made itself: copied, with 00 00 before them.
  void open_copy(Kind kind, std::string_view payload);

  bool is_full() const { return work() >= work_limit_ || used_bytes_ >= byte_limit_; }
  // It could not be sent at once: makes room for as much again, until clear(). Only the first call
  // does.
  void extend();
  bool is_empty() const { return groups_.empty(); }

  std::span<const SendGroup> groups() const { return groups_; }
  std::span<const Train> trains(const SendGroup& group) const {
    return std::span(trains_).subspan(group.first_train, group.train_count);
  }
  std::span<const std::string_view> pieces(const Train& train) const {
    return std::span(pieces_).subspan(train.first_piece, train.piece_count);
  }
  // The n-th message of a train, as a datagram of its own.
  std::string_view message(const Train& train, std::uint32_t index) const;
  std::span<const Endpoint> destinations(const SendGroup& group) const {
    return std::span(destinations_).subspan(group.first_destination, group.destination_count);
  }
  void clear();

 private:
  // Beyond the soft limit fits what a turn of a room adds.
  static constexpr std::size_t kSoftLimitBytes = 1 << 20;
  static constexpr std::size_t kReservedBytes = 2 << 20;

  std::uint64_t work() const {
    return work_ + std::uint64_t{work_per_destination_} * open_destinations_;
  }

  std::uint32_t soft_limit_;
  std::uint64_t work_limit_;
  std::size_t byte_limit_ = kSoftLimitBytes;
  bool is_extended_ = false;
  std::uint64_t work_ = 0;                  // of all fan-outs but the open one
  std::uint32_t work_per_destination_ = 0;  // of the open one
  std::uint32_t open_destinations_ = 0;
  std::vector<SendGroup> groups_;
  std::vector<Train> trains_;
  std::vector<std::string_view> pieces_;
  std::vector<Endpoint> destinations_;
  std::size_t used_bytes_ = 0;
  std::unique_ptr<char[]> reserved_;
  std::pmr::monotonic_buffer_resource bytes_;
};

}  // namespace chatd
