// What all parts of the simulation share: the time, the dice, the future, what is under way, and
// the book of what has happened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/endpoint.h"
#include "tests/sim/coverage.h"
#include "tests/sim/delays.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/packets.h"
#include "tests/sim/scenario.h"
#include "tests/sim/trace.h"

namespace chatd::sim {

// A machine with clients on it.
struct Host {
  IpAddress ip;
  std::string ip_text;
  std::uint32_t group = 0;  // hosts that limits per address count as one (a /64)
  bool is_loopback = false;
  std::uint32_t cut = 0;  // partitions that it is in
  // How the server's kernel finds it; each the number of faults that say so.
  std::uint32_t unreachable = 0;
  std::uint32_t device_full = 0;
  std::uint32_t forbidden = 0;
  std::uint32_t refusing = 0;
  std::uint32_t small_mtu = 0;
  std::uint32_t without_trains = 0;
  // The UDP payload that the path there takes whole. What is larger is cut, or lost if it may not
  // be.
  std::uint32_t path_bytes = 0;
  std::uint32_t shrunk = 0;  // faults that make it as small as the operator says
  std::uint32_t stuck = 0;   // what goes there stays in the sending socket's buffer
  std::uint32_t busy = 0;    // EAGAIN, and no event when it is over
  // Until then nothing overtakes anything, unless the network reorders.
  std::uint64_t last_to_server_us = 0;
  std::uint64_t last_to_client_us = 0;
};

struct World {
  World(std::uint64_t seed, bool print_trace);

  // The first finding counts: what comes after it may only be its consequence.
  void fail(std::string finding) {
    if (failure.empty()) failure = std::move(finding);
  }
  bool ok() const { return failure.empty(); }

  void note(Step step, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) {
    trace.note(now_us, step, a, b, c);
  }
  void plan(std::uint64_t in_us, EventKind kind, std::uint32_t what = 0, std::uint32_t where = 0) {
    events.plan(now_us + in_us, kind, what, where);
  }
  // Between half of it and one and a half.
  std::uint64_t about(std::uint64_t amount) { return amount / 2 + dice.roll(amount + 1); }

  const Scenario scenario;
  Dice dice;
  std::uint64_t now_us = 0;
  EventQueue events;
  Packets packets;
  Claims claims;
  Trace trace;
  Coverage seen;
  Delays delays;
  std::string failure;

  Limits limits;  // that are in force: the scenario's, until an operator sets others
  std::vector<Host> hosts;
  std::vector<std::string> room_names;    // the rooms that there can be, by number
  std::vector<std::string> client_names;  // by client
  // Some look like an earlier one: its number, or their own.
  std::vector<std::uint32_t> room_looks;
  std::vector<std::uint32_t> client_looks;
  LocalEndpoints server_sockets;
  bool is_settling = false;  // faults end; members stay, say nothing more, and get what they miss
  bool is_calm = false;      // faults are over, clients are silent: all comes to rest
};

}  // namespace chatd::sim
