// What the shards of the server have in common: each other, and the connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/control/peer_shards.h"
#include "tests/sim/model.h"

namespace chatd::sim {

// A control connection with one request.
struct Connection {
  enum class Stage : std::uint8_t { kFree, kArriving, kAsking, kWaiting, kAnswered };
  Stage stage = Stage::kFree;
  std::uint64_t serial = 0;
  Ask ask;
  bool wants_greeting = false;
  std::uint32_t nonsense = 0;  // so many bad requests come before the one that is meant
  bool is_counted = false;     // as one of its address
  bool breaks = false;         // before the answer has come through
  std::string request;
  std::string reply;
  int status = 0;                 // what the model says it will be
  MemberNumber member = kNobody;  // who enters, if it may
};

class Switchboard {
 public:
  virtual ~Switchboard() = default;
  virtual Connection& connection(std::uint32_t number) = 0;
  // Its reply is whole.
  virtual void answer(std::uint32_t number) = 0;
  virtual void read_figures(std::vector<ShardStats>& figures) const = 0;
  virtual std::uint64_t next_sequence() = 0;
  virtual void post(PeerShards::Outgoing outgoing) = 0;
  virtual bool hand_over(std::uint8_t to, std::uint32_t packet) = 0;
};

}  // namespace chatd::sim
