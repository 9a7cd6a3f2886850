// What the relay wants the outside world to send: a caller-owned batch of datagrams, each once,
// with all its destinations.
//
// A message's bytes are not copied: its `datagram` points into the buffer it was received in, which
// must stay as it is until clear(). Destinations are copied, so that members may come and go before
// the batch is sent. Destinations lie in one array, so that several datagrams for the same
// destinations could share a range.
//
// Memory is reserved for `soft_limit` destinations and one more full room: who calls the relay
// looks at is_full() between two calls and sends first when it is. Then nothing is allocated for
// messages. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "core/address/endpoint.h"

namespace chatd {

class Outbox {
 public:
  enum class Kind : std::uint8_t {
    kMessage,  // a member's words: the ledger follows each delivery
    kNotice,   // the server's own
    kAnswer,   // to a datagram that was not authenticated
  };

  struct Fanout {
    std::string_view datagram;  // whole, as it goes on the wire
    std::uint32_t first_destination;
    std::uint32_t destination_count;
    Kind kind;
  };

  Outbox(std::uint32_t soft_limit, std::uint32_t max_room_members);

  // A fan-out is opened, and destinations are added to it. `datagram` must stay valid until
  // clear().
  void open(Kind kind, std::string_view datagram);
  void add(const Endpoint& destination);
  void add(std::span<const Endpoint> destinations);

  // The same for bytes that the relay made itself: copied, with 00 00 before them.
  void open_copy(Kind kind, std::string_view payload);

  bool is_full() const {
    return destinations_.size() >= soft_limit_ || fanouts_.size() >= soft_limit_;
  }
  bool is_empty() const { return fanouts_.empty(); }
  std::span<const Fanout> fanouts() const { return fanouts_; }
  std::span<const Endpoint> destinations(const Fanout& fanout) const {
    return std::span(destinations_).subspan(fanout.first_destination, fanout.destination_count);
  }
  void clear();

 private:
  static constexpr std::size_t kInitialCopyBytes = 64 * 1024;

  std::uint32_t soft_limit_;
  std::vector<Fanout> fanouts_;
  std::vector<Endpoint> destinations_;
  std::vector<std::byte> initial_copies_;
  std::pmr::monotonic_buffer_resource copies_;
};

}  // namespace chatd
