// What the clients' requests are about, from where they arrive at a relay until their answer is
// known: the model judges by that, the relay by the bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "core/control/shard_message.h"
#include "tests/sim/model.h"

namespace chatd::sim {

struct Request {
  RequestSpec spec;
  int status = 0;                 // what the model says it will be
  MemberNumber member = kNobody;  // who enters, if it may
  std::uint32_t connection = 0;   // the client's
  std::uint32_t serial = 0;
};

class Requests {
 public:
  virtual ~Requests() = default;
  // The next request of the connection in this place.
  virtual Request next(const ConnectionId& from) = 0;
  // It is answered.
  virtual void answer(const Request& request) = 0;

  // Those whose answers are not whole yet.
  Request& wait(const ConnectionId& from, const Request& request) {
    return waiting_[key(from)] = request;
  }
  Request* find(const ConnectionId& from) {
    const auto found = waiting_.find(key(from));
    return found == waiting_.end() ? nullptr : &found->second;
  }
  void finish(const ConnectionId& from) {
    const auto found = waiting_.find(key(from));
    if (found == waiting_.end()) return;
    answer(found->second);
    waiting_.erase(found);
  }
  void forget_all() { waiting_.clear(); }

 private:
  using Key = std::tuple<std::uint8_t, std::uint32_t, std::uint64_t>;
  static Key key(const ConnectionId& from) { return {from.shard, from.slot, from.serial}; }

  std::map<Key, Request> waiting_;
};

}  // namespace chatd::sim
