// What has happened: a hash over all of it, and the last steps in words. Two runs with equal hashes
// have seen the same events in the same order with the same outcomes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace chatd::sim {

enum class Step : std::uint8_t {
  kSends,        // a client: which, the message (or 0), from which port
  kAsks,         // a client: which, the operation, the room
  kAnswered,     // a client: which, the status
  kHears,        // a client: which, the message (or 0), how it is understood
  kRefused,      // a client's datagram: which, from which port
  kEnters,       // the model's view: member, room, status
  kGoes,         // likewise: member, room, why (a counter)
  kJudged,       // a datagram at a shard: shard, outcome (a counter), the message
  kRefusal,      // ICMP at a shard: shard, port
  kTurn,         // shard, how much waits, the server's clock
  kDelivers,     // the relay puts it into the outbox: shard, message, copies
  kSendsTrain,   // the server: shard, to which port, how many messages
  kCannotSend,   // the server: shard, to which port, why (a counter)
  kLost,         // by the network: packet or port, the message
  kFault,        // begins: which, whom, until when
  kFaultOver,    // which, whom
  kServerStops,  // how many members it had
  kServerStarts,
  kSendsLog,    // the relay: to which member, from which entry, how many
  kHearsEntry,  // a client: which, the entry, what it is
  kOperator,    // what is asked for (operator.h), of whom
  kCount,
};

class Trace {
 public:
  // `print_all`: each step is also written to stdout at once.
  explicit Trace(bool print_all) : print_all_(print_all) {}

  void note(std::uint64_t at_us, Step step, std::uint64_t a = 0, std::uint64_t b = 0,
            std::uint64_t c = 0) {
    mix(at_us ^ (std::uint64_t{static_cast<std::uint8_t>(step)} << 56));
    mix(a ^ (b << 20));
    mix(c);
    last_[count_ % kKept] = {.at_us = at_us, .a = a, .b = b, .c = c, .step = step};
    ++count_;
    if (print_all_) print_last();
  }
  std::uint64_t hash() const { return hash_; }
  // The last steps, a line each.
  std::string text(std::size_t lines) const;

 private:
  static constexpr std::size_t kKept = 256;

  struct Entry {
    std::uint64_t at_us;
    std::uint64_t a;
    std::uint64_t b;
    std::uint64_t c;
    Step step;
  };

  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e37'79b9'7f4a'7c15u;
    hash_ ^= hash_ >> 29;
  }
  static std::string line(const Entry& entry);
  void print_last() const;

  bool print_all_;
  std::uint64_t hash_ = 0x243f'6a88'85a3'08d3u;
  std::uint64_t count_ = 0;
  std::array<Entry, kKept> last_{};
};

}  // namespace chatd::sim
