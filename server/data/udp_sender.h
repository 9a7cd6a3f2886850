// Sends an outbox. What the kernel does not take goes another way (the socket is full: see
// lanes.h), is kept (there is none: carry on when the socket is writable), put off for a moment (a
// device's queue is full), sent in another way (this destination takes no trains), or dropped under
// a reason (it cannot be reached): one bad destination costs its own datagrams, and neither costs
// nor delays anyone else's.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/room/outbox.h"
#include "core/stats/counters.h"
#include "server/data/error_queue.h"
#include "server/data/lanes.h"
#include "server/data/no_gso_peers.h"
#include "server/data/path_mtu.h"
#include "server/data/send_batch.h"
#include "server/io/io.h"
#include "server/os/local_addresses.h"

namespace chatd {

// Thread: one at a time.
class UdpSender {
 public:
  enum class Progress : std::uint8_t {
    kDone,        // everything is sent or dropped: the outbox may be cleared
    kMore,        // call again with the same outbox, after a look at everything else
    kSocketFull,  // call again with the same outbox when the socket is writable
    kDeferred,    // the same, kDeferMs later
  };
  static constexpr int kDeferMs = 1;

  // `family` is the socket's. Datagrams of up to `max_whole_bytes` travel in one piece, larger ones
  // may be cut on the way. The error queue is drained when a send fails for somebody else's error.
  // `locals` has the addresses that datagrams are to leave from, where there are several.
  UdpSender(Io& io, int fd, int family, std::size_t max_whole_bytes, ErrorQueue& errors,
            Counters& counters, LocalAddresses* locals = nullptr,
            std::size_t max_lanes = Lanes::kMaxLanes);
  UdpSender(const UdpSender&) = delete;  // it refers to its parts
  UdpSender& operator=(const UdpSender&) = delete;

  // Until all is done, `out` may be added to, and nothing else.
  Progress send(const Outbox& out, TimeMs now_ms);

  // Gives up what send() has left, and counts it under this reason.
  void drop_pending(const Outbox& out, Counter reason);

 private:
  static constexpr std::size_t kMaxBatchesPerCall = 4;
  static constexpr std::size_t kMaxDeferred = 4096;
  // A call that fails for another datagram's ICMP error is repeated, whether such an error was in
  // the queue or not: some may have been lost. The last bound is for a kernel that errs.
  static constexpr unsigned kMaxUnexplained = 32;
  static constexpr unsigned kMaxRetries = 10'000;
  static constexpr unsigned kMaxTrainRetries = 8;
  // Then a failure that a missing route explains is looked into.
  static constexpr unsigned kRetriesBeforeCheck = 2;
  // So many entries follow one that was put off: what it says of the device holds for its
  // neighbours, too, and each of them sends all that was prepared behind it back to be prepared
  // again.
  static constexpr std::size_t kCautiousFill = 8;
  static constexpr TimeMs kSoonMs = 1000;
  // A full socket that takes nothing for so long is stuck. A busy device's queue keeps what stands
  // behind others for a tenth of a second and more; ARP gives a neighbour up after three seconds.
  static constexpr TimeMs kStuckMs = 500;

  // One train for one destination, by its place in the outbox. Where messages go one by one,
  // `first_message` is the next of the train to go.
  struct Item {
    std::uint32_t group = 0;
    std::uint32_t train = 0;  // of the send group
    std::uint32_t destination = 0;
    std::uint32_t first_message = 0;
  };
  // What a datagram of the batch is of that, for the ledger.
  struct Entry {
    Item item;
    std::uint32_t deferred_index;  // where it stands there, if it is a second try
    std::uint32_t message_count;
    Outbox::Kind kind;
  };

  Progress flush_batch(const Outbox& out);
  bool fill(const Outbox& out);
  bool fill_again(const Outbox& out);
  bool fill_group(const Outbox& out, const Outbox::SendGroup& group);
  bool add(const Outbox& out, Item& item, SendBatch::Form& form);
  bool add_messages(const Outbox& out, Item& item);
  void append(const Outbox& out, const Item& item, const SendBatch::Form& form,
              std::uint32_t message_count, std::size_t message_bytes);

  std::size_t run_for_shared(const Outbox& out);
  void send_by_lane(int lane_fd, const Outbox& out);
  bool may_take_lane(const Endpoint& destination) const;
  bool can_leave_by_lane(const Endpoint& destination) const;
  void send_probe(const Outbox& out);
  void note_addresses(const Outbox& out, std::size_t sent);
  void handle(int error, const Outbox& out);
  bool is_others_error(int error, const Endpoint& destination, bool is_train);
  void forget_failures();
  void rewind(const Outbox& out);
  bool is_full() const { return batch_.end() >= fill_limit_; }
  void defer(const Outbox& out, const Item& item);
  void erase_deferred(const Outbox& out, const Item& item);
  bool is_deferred(const Endpoint& destination) const {
    return !deferred_destinations_.empty() && deferred_destinations_.contains(destination);
  }
  void count_sent(std::size_t count);
  void drop_first(Counter reason);
  void count_dropped(Outbox::Kind kind, std::uint32_t message_count, Counter reason);

  static bool is_before(const Item& a, const Item& b);
  const IpAddress& ip_of(const Outbox& out, std::size_t entry) const;
  static const Outbox::Train& train_of(const Outbox& out, const Item& item);
  static const Endpoint& destination_of(const Outbox& out, const Item& item);

  Io& io_;
  int fd_;
  int family_;
  std::size_t max_whole_bytes_;
  ErrorQueue& errors_;
  LocalAddresses* locals_;
  Counters& counters_;
  NoGsoPeers no_gso_peers_;
  Fragmentation fragmentation_;
  Lanes lanes_;

  Item next_;  // where the outbox continues
  SendBatch batch_;
  std::array<Entry, SendBatch::kCapacity> entries_{};  // in step with the batch
  unsigned retries_ = 0;                               // of the batch's first entry
  unsigned unexplained_ = 0;                           // among them
  bool has_checked_ = false;                           // whether there is a route for it
  std::size_t fill_limit_ = SendBatch::kCapacity;      // entries of the next batch
  TimeMs now_ms_ = 0;
  bool is_shared_full_ = false;          // as far as this call of send() knows
  std::optional<TimeMs> full_since_ms_;  // the shared socket, without having taken anything
  std::optional<IpAddress> last_ip_;     // that something was sent to
  std::optional<TimeMs> addresses_changed_ms_;

  // What a device's queue had no room for, in the outbox's order. Later trains for the same
  // destinations follow here, so that each gets its own in order. Each is tried once more; what
  // finds no room here is dropped.
  std::vector<Item> deferred_;
  absl::flat_hash_map<Endpoint, std::uint32_t, EndpointHash> deferred_destinations_;  // how often
  std::size_t next_deferred_ = 0;
  bool is_second_try_ = false;
};

}  // namespace chatd
