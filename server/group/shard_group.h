// All that shards have in common: each one's mailbox and the figures that it publishes, how many
// connections there are, and a number for the order of requests.
//
// Figures have one writer each. A shard publishes before it lets anything out that a call has led
// to (a shard message, an answer, a datagram), so whoever has seen a consequence sees the figures,
// too. Thread: any, except that publish() for a shard is that shard's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "core/control/peer_shards.h"
#include "server/group/mailbox.h"
#include "server/os/local_addresses.h"
#include "server/tls/tls_service.h"

namespace chatd {

class ShardGroup {
 public:
  static tl::expected<std::unique_ptr<ShardGroup>, std::string> open(
      Io& io, std::uint32_t shard_count, std::size_t max_misrouted = Mailbox::kMaxMisrouted);

  std::uint32_t shard_count() const { return static_cast<std::uint32_t>(lines_.size()); }
  Mailbox& mailbox(std::uint8_t shard) { return lines_[shard]->mailbox; }

  void publish(std::uint8_t shard, const ShardStats& figures);
  // From here on the eventfd `event_fd` is woken whenever a shard has lost its last member.
  void wake_when_empty(int event_fd) { empty_fd_.store(event_fd, std::memory_order_relaxed); }
  // Into what the last call has left there, or nothing.
  void read_figures(std::vector<ShardStats>& figures) const;

  std::uint64_t next_creation_order() {
    return creation_order_.fetch_add(1, std::memory_order_relaxed);
  }

  // Where the count stands, for another process, which goes on from there.
  std::uint64_t creation_order() const { return creation_order_.load(std::memory_order_relaxed); }
  void go_on_from(std::uint64_t creation_order) {
    creation_order_.store(creation_order, std::memory_order_relaxed);
  }

  // By which of the machine's addresses members are spoken to.
  LocalAddresses& local_addresses() { return local_addresses_; }

  // Null: there is no TLS port. It is set before shards run.
  TlsService* tls() const { return tls_.get(); }
  void serve_tls(std::unique_ptr<TlsService> tls) { tls_ = std::move(tls); }

  // Control connections of all shards.
  std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }
  void add_connection() { connections_.fetch_add(1, std::memory_order_relaxed); }
  void remove_connection() { connections_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  // On cache lines of its own, so that what one shard writes slows down no other.
  struct alignas(64) Line {
    Line(Io& io, UniqueFd event, std::size_t max_misrouted)
        : mailbox(io, std::move(event), max_misrouted) {}
    Mailbox mailbox;
    std::atomic<std::uint64_t> roster_version = 0;
    std::atomic<std::uint32_t> rooms = 0;
    std::atomic<std::uint32_t> members = 0;
    mutable std::mutex greeting_mutex;
    std::shared_ptr<const GreetingPart> greeting;
  };

  std::vector<std::unique_ptr<Line>> lines_;
  LocalAddresses local_addresses_;
  std::unique_ptr<TlsService> tls_;
  std::atomic<std::uint64_t> creation_order_ = 0;
  std::atomic<std::uint32_t> connections_ = 0;
  std::atomic<int> empty_fd_ = -1;
};

}  // namespace chatd
