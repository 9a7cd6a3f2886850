// Sends an outbox through the simulated kernel as server/data/udp_sender.h does through the real
// one: what a full socket does not take stays, what a device's queue has no room for is put off
// with all that follows to the same address, a destination that takes no trains gets its messages
// one by one, and what cannot be sent is dropped under its reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "tests/sim/kernel.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Sender {
 public:
  enum class Progress : std::uint8_t { kDone, kMore, kSocketFull, kPutOff };
  static constexpr std::uint64_t kPutOffMs = 1;

  Sender(World& world, Network& network, Kernel& kernel, std::uint8_t shard)
      : world_(world), network_(network), kernel_(kernel), shard_(shard) {}

  Progress send(const Outbox& out, Counters& counters);
  // Gives up what is left.
  void abandon(const Outbox& out, Counters& counters, Counter reason);

  std::uint64_t notices_dropped() const { return notices_dropped_; }

 private:
  static constexpr std::size_t kMaxPutOff = 256;
  static constexpr std::size_t kTrainsPerCall = 1024;

  struct Item {
    std::uint32_t fanout = 0;
    std::uint32_t train = 0;
    std::uint32_t destination = 0;
    std::uint32_t first_message = 0;
  };

  // False: the socket is full.
  bool send_item(const Outbox& out, Item& item, Counters& counters);
  bool send_one_by_one(const Outbox& out, Item& item, Counters& counters);
  bool handle(const Outbox& out, Item& item, Kernel::Word word, bool is_train, Counters& counters);
  bool send_put_off(const Outbox& out, Counters& counters);
  // Goes to the next item; false after the last.
  bool find_item(const Outbox& out);
  void put_off(const Outbox& out, const Item& item, Counters& counters);
  bool is_put_off(const Outbox& out, const Item& item) const;
  void transmit(const Outbox& out, const Item& item, std::uint32_t count, Counters& counters);
  void load(const Outbox& out, const Item& item);
  void unload();
  void drop(const Outbox& out, const Item& item, std::uint32_t count, Counter reason,
            Counters& counters);

  static const Outbox::Train& train_of(const Outbox& out, const Item& item) {
    return out.trains(out.fanouts()[item.fanout])[item.train];
  }
  static const Endpoint& destination_of(const Outbox& out, const Item& item) {
    return out.destinations(out.fanouts()[item.fanout])[item.destination];
  }

  World& world_;
  Network& network_;
  Kernel& kernel_;
  std::uint8_t shard_;
  Item next_;
  std::vector<Item> put_off_;
  std::size_t next_put_off_ = 0;
  bool is_second_try_ = false;
  std::vector<std::uint8_t> plain_;  // by port: takes no trains
  std::uint64_t notices_dropped_ = 0;

  // The messages of the train that is being sent, as packets.
  std::vector<std::uint32_t> loaded_;
  std::uint32_t loaded_fanout_ = 0;
  std::uint32_t loaded_train_ = 0;
};

}  // namespace chatd::sim
