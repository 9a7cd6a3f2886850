// How much work the server does in a turn, and while a message of a quiet room waits: the promise
// that no room suffers by what another one does, in time.
//
// In virtual time work takes as long as it takes a real machine, about: a datagram that is taken
// in, a message that is handed to the kernel, a call and the bytes of a stream. A shard's next turn
// begins when this work is done (Server::turn), and each shard has a clock of its own that counts
// it. What a shard spends in one turn is bounded by the shares that a turn consists of. What it
// spends between the moment in which a message is accepted and the moment in which the kernel has
// taken it is bounded as well, if little else was waiting in that message's room: by a turn of each
// address whose rooms are busy (core/room/turn_order.h). That the machine stands still meanwhile,
// or its socket is full, is not the rooms' doing: turns that begin with a full socket do not count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/shard_map.h"
#include "tests/sim/packets.h"
#include "tests/sim/scenario.h"

namespace chatd::sim {

class Delays {
 public:
  // What a turn consists of, each with a bound of its own.
  enum class Share : std::uint8_t { kDatagrams, kMessages, kConnections, kCount };

  static constexpr std::uint64_t kTakeInNs = 1'000;   // a datagram
  static constexpr std::uint64_t kMessageNs = 1'000;  // to one member
  static constexpr std::uint64_t kCallNs = 2'000;     // for a connection
  static constexpr std::uint64_t kByteNs = 1;         // of a stream

  Delays(const Scenario& scenario, std::size_t rooms)
      : scenario_(scenario), busy_times_(rooms), waits_(rooms) {}

  // What is spent from here on is spent by this shard, while so many connections are open.
  void begin_turn(std::uint32_t shard, std::uint32_t connections, bool is_send_blocked) {
    shard_ = shard;
    connections_ = connections;
    is_send_blocked_ = is_send_blocked;
    turn_ns_.fill(0);
  }
  void spend(Share share, std::uint64_t ns) {
    turn_ns_[static_cast<std::size_t>(share)] += ns;
    if (!is_send_blocked_) spent_ns_[shard_] += ns;
  }
  std::uint64_t turn_ns() const {
    return std::accumulate(turn_ns_.begin(), turn_ns_.end(), std::uint64_t{0});
  }
  // What is more in this turn than its share, if so many connections have come meanwhile; empty
  // when nothing is.
  std::string excess(std::uint32_t new_connections) const;

  // A message is accepted in a room in which little else waits, and so many turns of addresses may
  // go by before it is sent; one member's copy of it is handed to the kernel.
  void accepted(MessageId message, std::uint32_t room, std::uint32_t address_turns);
  void left(MessageId message);
  // The room is quiet no more: what waits in it waits for its own messages as well, and is not
  // judged.
  void forget(std::uint32_t room) { ++busy_times_[room]; }
  // Others go on in place of the shards, and rooms queue up again: what waits is not judged.
  void forget_waiting() { waiting_.fill({}); }

  // The room for whose messages the shard has worked longest, measured by what is allowed: of each
  // hundred of them the last but one (p99). Nothing when too few have been said.
  struct Worst {
    std::uint32_t room = 0;
    std::uint32_t per_mille = 0;  // of what is allowed
    std::size_t deliveries = 0;
  };
  Worst worst_room();

 private:
  static constexpr std::size_t kRemembered = 1 << 12;
  static constexpr std::size_t kMinDeliveries = 100;  // p99 of fewer is just the worst of them

  struct Waiting {
    MessageId message = 0;
    std::uint32_t room = 0;
    std::uint32_t busy_times = 0;  // of the room, when the message was accepted
    std::uint64_t since_ns = 0;
    std::uint64_t allowed_ns = 1;
  };

  const Scenario& scenario_;
  std::uint32_t shard_ = 0;
  std::uint32_t connections_ = 0;
  bool is_send_blocked_ = false;
  std::array<std::uint64_t, static_cast<std::size_t>(Share::kCount)> turn_ns_{};
  std::array<std::uint64_t, kMaxShards> spent_ns_{};
  std::array<Waiting, kRemembered> waiting_{};     // by message; later ones displace earlier ones
  std::vector<std::uint32_t> busy_times_;          // by room: how often it was found busy
  std::vector<std::vector<std::uint32_t>> waits_;  // by room: of each delivery, in per mille
};

}  // namespace chatd::sim
