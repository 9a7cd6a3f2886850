// The books of a run: every message that is sent, and every delivery of it, checked.
//
// A message to a room of M members is M - 1 deliveries, each exactly once, to members of that room
// and not to its sender, in the order in which that sender sent. Each delivery is booked as one of
//
//   delivered   the first of this message to this member; counted beside it, as may be: late (after
//               the give-up time), reordered (after a later message of the same sender)
//   duplicated  the same once more
//   foreign     a message of another room, of the member itself, or one that never was sent
//   corrupted   not what was sent: other bytes, another length, another sender
//
// and what is still missing in the end is lost: expected = delivered + lost, always.
//
// Memory. A counter for each pair of sender and receiver would take gigabytes for rooms of ten
// thousand. So a message has a record with a bit for each member of its room, as long as deliveries
// of it are missing: memory follows what is under way, not who there is. Order is checked the same
// way: a member remembers the latest message it got (eight bytes); only when an earlier one comes
// after it are the sender's later messages looked at, bit by bit.
//
// A record goes when all its deliveries are booked, or when it is older than kKeepNs, or when
// memory ends (kMaxBytes). What still comes for one that went incomplete is taken for a late
// delivery, as long as such deliveries are missing; beyond that for a duplicate.
//
// Times are nanoseconds of any clock that does not run backwards. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/chatbench/workload/payload.h"

namespace chatd::bench {

struct LedgerCounts {
  std::uint64_t sent = 0;      // messages
  std::uint64_t expected = 0;  // deliveries
  std::uint64_t delivered = 0;
  std::uint64_t late = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t foreign = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t received_bytes = 0;  // payloads of what was delivered

  std::uint64_t lost() const { return expected - delivered; }
};

class Ledger {
 public:
  Ledger(std::uint32_t rooms, std::uint32_t members_per_room, std::int64_t give_up_ns);

  // From here on, until the next call of one of the two, messages count. Counters start at 0.
  void begin_measuring();
  void end_measuring() { measured_end_ = next_; }

  // A message that is about to be sent: its number. `scheduled_ns` is handed back by deliveries.
  std::uint32_t open(std::uint32_t sender, std::uint32_t payload_bytes, std::int64_t scheduled_ns,
                     std::int64_t now_ns);

  struct Booking {
    bool is_delivery = false;  // of a message of this run
    bool is_measured = false;  // it counts
    bool is_last = false;      // the message is complete, and was not given up before
    std::uint32_t room = 0;    // of the message
    std::int64_t scheduled_ns = 0;
  };
  Booking book(std::uint32_t receiver, std::uint32_t payload_bytes, const DecodedPayload& payload,
               std::int64_t now_ns);
  // A delivery that cannot be decoded.
  void book_corrupted() { ++counts_.corrupted; }

  // Gives up messages that are older than the give-up time: calls on_given_up(room) for each.
  template <class OnGivenUp>
  void give_up(std::int64_t now_ns, OnGivenUp on_given_up) {
    for (; given_up_ < next_; ++given_up_) {
      Record& record = record_of(given_up_);
      if (record.missing == 0) continue;
      if (now_ns - record.opened_ns <= give_up_ns_) break;
      record.is_given_up = true;
      on_given_up(record.sender / members_per_room_);
    }
    forget(now_ns);
  }

  // Of the measured messages.
  const LedgerCounts& counts() const { return counts_; }
  // Deliveries of measured messages that are still missing.
  std::uint64_t missing() const { return counts_.lost(); }
  // Measured messages of which not one delivery came, as far as their records were kept. Such
  // messages were lost on the way to the server, or all at once within it.
  std::uint64_t unheard() const;

  // Of all there is now. At most kMaxBytes and the two words per member.
  std::size_t record_bytes() const;

 private:
  static constexpr std::int64_t kKeepNs = 10'000'000'000;
  static constexpr std::size_t kMaxBytes = std::size_t{256} * 1024 * 1024;
  static constexpr std::size_t kFirstCapacity = 1024;  // fewer for rooms of millions

  struct Record {
    std::int64_t scheduled_ns = 0;
    std::int64_t opened_ns = 0;
    NameWord sender_name = 0;
    std::uint32_t sender = 0;
    std::uint32_t first_member = 0;  // of the room
    std::uint32_t missing = 0;
    std::uint32_t payload_bytes = 0;
    std::uint32_t to_next_of_sender = 0;  // so many messages later; 0: there is none yet
    bool is_given_up = false;
  };

  std::size_t index_of(std::uint64_t message) const {
    return static_cast<std::size_t>(message) & (records_.size() - 1);
  }
  Record& record_of(std::uint64_t message) { return records_[index_of(message)]; }
  const Record& record_of(std::uint64_t message) const { return records_[index_of(message)]; }
  std::uint64_t* bits_of(std::uint64_t message) { return &bits_[index_of(message) * words_]; }
  bool is_measured(std::uint64_t message) const {
    return message >= measured_begin_ && message < measured_end_;
  }

  std::size_t record_bytes_each() const { return sizeof(Record) + words_ * sizeof(std::uint64_t); }
  void make_place();
  void forget(std::int64_t now_ns);
  void forget_first();
  bool came_after_later(std::uint64_t message, std::uint32_t position) const;
  Booking book_forgotten(std::uint64_t message, std::uint32_t payload_bytes);

  std::uint32_t members_per_room_;
  std::int64_t give_up_ns_;
  std::size_t words_;  // of bits per message

  // Messages are counted from 0; those first_..next_-1 have records.
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t given_up_ = 0;  // all before it are complete or given up
  std::vector<Record> records_;
  std::vector<std::uint64_t> bits_;

  std::vector<std::uint64_t> last_sent_;  // by each member, plus 1; 0: none
  std::vector<std::uint64_t> latest_;     // that each member got, plus 1
  std::vector<NameWord> names_;

  std::uint64_t measured_begin_ = ~std::uint64_t{0};
  std::uint64_t measured_end_ = ~std::uint64_t{0};
  std::uint64_t forgotten_missing_ = 0;  // deliveries of measured messages without a record
  std::uint64_t forgotten_unheard_ = 0;
  LedgerCounts counts_;
};

}  // namespace chatd::bench
