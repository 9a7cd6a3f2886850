// Who must still get which message. An accepted message is a debt to each other member whose
// address is known at that moment. What the relay puts into its outbox pays one; nothing else may
// be there. What is never paid must be in the relay's books as dropped.
//
// Order: a message that comes after a later one of the same sender would be found unpaid no more,
// for the later one has written it off.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/shards/shard_map.h"
#include "tests/sim/roll.h"

namespace chatd::sim {

class Debts {
 public:
  explicit Debts(Roll& roll) : roll_(roll) {}

  struct Accepted {
    std::uint64_t planned;
    std::uint64_t pending;  // members who could not be reached
  };
  Accepted accept(const Membership& sender, MessageId message);

  // Whether these messages, one after the other, are owed to the member at this port, how many of
  // the same senders' it would then never get, and since when the first is owed.
  struct Fit {
    bool is_owed = false;
    std::size_t missed = 0;
    std::uint64_t accepted = 0;
  };
  static Fit fit(const Membership& member, std::uint32_t port, std::span<const MessageId> messages);
  // They go to the member. False: one was not owed.
  bool pay(Membership& member, std::uint32_t port, std::span<const MessageId> messages);
  // What is owed since before `accepted` will not be paid any more.
  void write_off(Membership& member, std::uint64_t accepted);

  // So many messages have been accepted so far.
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t owed_by(std::uint8_t shard) const { return owed_[shard]; }
  std::uint64_t lost_by(std::uint8_t shard) const { return lost_[shard]; }
  // Whether something was lost in a room in which little could have been waiting: then another
  // room's messages must have displaced it.
  bool has_lost_unfairly() const { return has_lost_unfairly_; }
  void forget_all() {
    owed_.fill(0);
    lost_.fill(0);
  }

 private:
  bool pay_one(Membership& member, std::uint32_t port, MessageId message);
  void drop_paid(Membership& member);
  void lose(const Membership& member, Debt& debt);

  // A room that has not had so many messages since nothing waited has lost none by its own fault.
  static constexpr std::uint64_t kFewMessages = 128;

  Roll& roll_;
  bool has_lost_unfairly_ = false;
  std::uint64_t accepted_ = 0;
  std::array<std::uint64_t, kMaxShards> owed_{};
  std::array<std::uint64_t, kMaxShards> lost_{};
};

}  // namespace chatd::sim
