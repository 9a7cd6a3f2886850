// The future: what will happen, earliest first; of two things at one time, the one that was planned
// first. A binary heap of small plain structs, which allocates nothing once it has grown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chatd::sim {

enum class EventKind : std::uint8_t {
  kDatagramAtServer,  // what: a packet
  kDatagramAtClient,  // what: a packet; where: a port
  kRefusalAtServer,   // ICMP: nobody listens. what: a port
  kRefusalAtClient,   // ICMP: the server is not there. where: a port
  kTurn,              // of a shard's duty cycle. where: the shard
  kTimer,             // the same, since a deadline has come
  kClientWakes,       // what: a client
  kSessionDue,        // of a client with protocol v2. what: the client
  kRequestAtServer,   // a connection, or some of its bytes. what: the connection; where: its serial
  kBytesAtClient,     // likewise
  kFaultBegins,       // the next one is picked
  kFaultEnds,         // what: the fault; where: whom it struck
  kServerStarts,      // after it was stopped
  kOperatorActs,      // and picks something
  kOperatorGoesOn,    // with what he has begun. what: which of it; where: for which server
};

struct Event {
  std::uint64_t at_us;
  std::uint64_t order;
  EventKind kind;
  std::uint32_t what;
  std::uint32_t where;
};

class EventQueue {
 public:
  void plan(std::uint64_t at_us, EventKind kind, std::uint32_t what = 0, std::uint32_t where = 0) {
    heap_.push_back(
        {.at_us = at_us, .order = next_order_++, .kind = kind, .what = what, .where = where});
    std::push_heap(heap_.begin(), heap_.end(), is_later);
  }
  // There must be one.
  Event take() {
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    const Event first = heap_.back();
    heap_.pop_back();
    return first;
  }
  bool is_empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }

 private:
  static bool is_later(const Event& a, const Event& b) {
    return a.at_us != b.at_us ? a.at_us > b.at_us : a.order > b.order;
  }

  std::vector<Event> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace chatd::sim
