// Sends an outbox. What the kernel does not take is kept (the socket is full: carry on when it is
// writable), put off for a moment (a device's queue is full), sent in another way (this destination
// takes no trains), or dropped under a reason (it cannot be reached): one bad destination costs its
// own datagrams, and neither costs nor delays anyone else's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/address/endpoint.h"
#include "core/relay/counters.h"
#include "core/relay/outbox.h"
#include "server/data/error_queue.h"
#include "server/data/fragmentation.h"
#include "server/data/plain_destinations.h"
#include "server/data/send_batch.h"

namespace chatd {

// Thread: one at a time.
class UdpSender {
 public:
  enum class Progress : std::uint8_t {
    kDone,        // everything is sent or dropped: the outbox may be cleared
    kMore,        // call again with the same outbox, after a look at everything else
    kSocketFull,  // call again with the same outbox when the socket is writable
    kPutOff,      // the same, kPutOffMs later
  };
  static constexpr int kPutOffMs = 1;

  // `family` is the socket's. Datagrams of up to `max_whole_bytes` travel in one piece, larger ones
  // may be cut on the way. The error queue is drained when a send fails for somebody else's error.
  UdpSender(int fd, int family, std::size_t max_whole_bytes, ErrorQueue& errors,
            Counters& counters);
  UdpSender(const UdpSender&) = delete;  // it refers to its parts
  UdpSender& operator=(const UdpSender&) = delete;

  // Until all is done, `out` may be added to, and nothing else.
  Progress send(const Outbox& out);

  // Gives up what send() has left, and counts it under this reason.
  void abandon(const Outbox& out, Counter reason);

 private:
  static constexpr std::size_t kMaxBatchesPerCall = 4;
  static constexpr std::size_t kMaxPutOff = 256;
  static constexpr unsigned kMaxRetries = 8;

  // One train for one destination, by its place in the outbox. Where messages go one by one,
  // `first_message` is the next of the train to go.
  struct Item {
    std::uint32_t fanout = 0;
    std::uint32_t train = 0;  // of the fan-out
    std::uint32_t destination = 0;
    std::uint32_t first_message = 0;
  };
  // What a datagram of the batch is of that, for the ledger.
  struct Entry {
    Item item;
    std::uint32_t put_off_index;  // where it stands there, if it is a second try
    std::uint32_t message_count;
    Outbox::Kind kind;
  };

  Progress flush_batch(const Outbox& out);
  bool fill(const Outbox& out);
  bool fill_again(const Outbox& out);
  bool fill_fanout(const Outbox& out, const Outbox::Fanout& fanout);
  bool add(const Outbox& out, Item& item, SendBatch::Form& form);
  bool add_messages(const Outbox& out, Item& item);
  void append(const Outbox& out, const Item& item, const SendBatch::Form& form,
              std::uint32_t message_count, std::size_t message_bytes);

  void handle(int error, const Outbox& out);
  bool is_others_error(int error);
  void rewind();
  void put_off(const Outbox& out, const Item& item);
  bool is_put_off(const Outbox& out, const Endpoint& destination) const;
  void count_sent(std::size_t count);
  void drop_first(Counter reason);
  void count_dropped(Outbox::Kind kind, std::uint32_t message_count, Counter reason);

  static bool is_before(const Item& a, const Item& b);
  static const Outbox::Train& train_of(const Outbox& out, const Item& item);
  static const Endpoint& destination_of(const Outbox& out, const Item& item);

  int fd_;
  std::size_t max_whole_bytes_;
  ErrorQueue& errors_;
  Counters& counters_;
  PlainDestinations plain_;
  Fragmentation fragmentation_;

  Item next_;  // where the outbox continues
  SendBatch batch_;
  std::array<Entry, SendBatch::kCapacity> entries_{};  // in step with the batch
  unsigned retries_ = 0;                               // of the batch's first entry

  // What a device's queue had no room for. Later trains for the same destinations follow here, so
  // that order is kept. Each is tried once more; beyond kMaxPutOff the oldest is dropped.
  std::vector<Item> put_off_;
  std::size_t next_put_off_ = 0;
  bool is_second_try_ = false;
};

}  // namespace chatd
