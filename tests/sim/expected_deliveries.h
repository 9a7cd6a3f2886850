// Who must still get what. An accepted message is a debt to each other member whose address is
// known at that moment, and so is a notice to whom it is for. What the relay puts into its outbox
// pays one; nothing else may be there. What is never paid must be in the relay's books as dropped.
//
// Order: a message that comes after a later one of the same sender would be found unpaid no more,
// for the later one has written it off. A notice writes off all that was owed before it, and a
// message all notices before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/shard_map.h"
#include "tests/sim/members.h"

namespace chatd::sim {

class ExpectedDeliveries {
 public:
  explicit ExpectedDeliveries(Members& members) : members_(members) {}

  // A turn of the shard in which rooms are served: nothing that is in their way waits for the
  // network.
  void begin_turn(std::uint8_t shard) { ++turns_[shard]; }
  // So many turns the delivery of a message has waited at most, in a room in which little waited
  // for few.
  std::uint64_t longest_wait_turns() const { return longest_wait_turns_; }

  struct Accepted {
    std::uint64_t planned;
    std::uint64_t pending;  // members who could not be reached
    std::uint64_t sealed;   // with protocol v2, who get it from the log
  };
  // `is_for_v1`: those with protocol v1 get it; otherwise they would have.
  Accepted accept(const Membership& sender, MessageId message, bool is_for_v1 = true);
  // A notice to one member whose address is known.
  void accept_notice(Membership& member, MessageId notice, ExpectedDelivery::Certainty certainty,
                     bool is_farewell);
  // The next notices come later than what was accepted before.
  void begin_notice() { ++accepted_; }

  // Whether these messages, one after the other, are owed to the member, how many others it would
  // then never get, how many that were accepted before the last of them it would get later, and
  // since when the first is owed.
  struct Fit {
    bool is_expected = false;
    std::size_t missed = 0;
    std::size_t passed_over = 0;
    std::uint64_t accepted = 0;
  };
  static Fit fit(const Membership& member, std::span<const MessageId> messages);
  // They go to the member. False: one was not owed. In order: what had to come before them is lost.
  enum class Order : std::uint8_t { kKept, kUnknown };
  bool pay(Membership& member, std::span<const MessageId> messages, Order order = Order::kKept);
  // Both are at one endpoint, and the one who has gone has got everything: what it seems to be owed
  // it got in place of the other, who is owed it still, but for the notice that it has come itself.
  void hand_on(Membership& gone, Membership& other, MessageId has_come);
  std::uint64_t accepted() const { return accepted_; }
  // Nothing will be paid any more.
  void write_off(Membership& member);
  // What waits is given up, but for farewells.
  void abandon(Membership& member);
  // So many had been lost until then: which of them, nobody could see while others waited.
  void tell_lost_from_abandoned(std::uint8_t shard, std::uint64_t lost) {
    abandoned_[shard] += lost_[shard] - lost;
    lost_[shard] = lost;
  }

  std::uint64_t owed_by(std::uint8_t shard) const { return owed_[shard]; }
  std::uint64_t lost_by(std::uint8_t shard) const { return lost_[shard]; }
  std::uint64_t lost_notices_by(std::uint8_t shard) const { return lost_notices_[shard]; }
  std::uint64_t abandoned_by(std::uint8_t shard) const { return abandoned_[shard]; }
  // Whether something was lost in a room in which little could have been waiting: then another
  // room's messages must have displaced it.
  bool has_lost_unfairly() const { return has_lost_unfairly_; }
  // Whether somebody was not told that it is out.
  bool has_lost_farewell() const { return has_lost_farewell_; }
  void forget_all() {
    owed_.fill(0);
    lost_.fill(0);
    lost_notices_.fill(0);
    abandoned_.fill(0);
  }

 private:
  static bool must_precede(const ExpectedDelivery& earlier, const ExpectedDelivery& debt);
  bool pay_one(Membership& member, MessageId message, Order order);
  void drop_paid(Membership& member);
  void lose(const Membership& member, ExpectedDelivery& debt);

  Members& members_;
  bool has_lost_unfairly_ = false;
  bool has_lost_farewell_ = false;
  std::uint64_t accepted_ = 0;
  std::uint64_t longest_wait_turns_ = 0;
  std::array<std::uint64_t, kMaxShards> turns_{};
  std::array<std::uint64_t, kMaxShards> owed_{};
  std::array<std::uint64_t, kMaxShards> lost_{};
  std::array<std::uint64_t, kMaxShards> lost_notices_{};
  std::array<std::uint64_t, kMaxShards> abandoned_{};
};

}  // namespace chatd::sim
