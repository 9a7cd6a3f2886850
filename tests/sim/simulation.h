// The deterministic simulator: read this first.
//
// A world (world.h) with a chat server in it, clients that mean well and clients that do not, and a
// network between them that loses, doubles, reorders and delays. Time is virtual and all randomness
// comes from one seed, so that a run can be repeated to the last byte, and five minutes of silence
// take no time. What is simulated is real: the server's shards (server/shard/), one or several,
// with all that they do with sockets, connections and each other, the relay in them (core/), and
// the client library's parts that do no I/O (client/). What is made up:
//
//   scenario   what a seed stands for: limits, sizes, tempers
//   network    between clients and the server, with the clients' ports
//   clients    who they are and what they do (speech and attacks: what they send); those with
//              protocol v2 speak through the library's session (sealed_clients, sealed_attacks)
//   machine    the kernel under the shards (server/io/io.h)
//   server     the shards on it, their turns in place of threads, and the clients' connections
//   faults     what goes wrong with the network, the server's machine and its clock
//   operator   who kicks, closes rooms, sets limits, drains, and restarts the server unnoticed
//   model      the protocol once more, as plainly as possible: who is in which room, and who is
//              owed which message; of protocol v2 who has which session (sessions.h), and what each
//              room's log is (room_log_model.h)
//   audit      holds the relay against the model, call by call (audited_relay.h: what the shards
//              have in place of a plain relay)
//   delays     how long work takes, in a turn and while a quiet room's message waits
//   trace      a hash over all that happens, and the last steps in words
//   coverage   which faults and drops have been seen
//
// An event is one thing taken from the queue (event_queue.h): a datagram that arrives at the server
// or at a client, an ICMP refusal that does, a turn of a shard's duty cycle, a client that wakes up
// and does something (or finds nothing to do), a request or an answer, the beginning or end of a
// fault. A flood of a hundred messages is one event when it is sent and a hundred when it arrives.
//
// After each call of a relay what it did is checked: the outcome of the datagram and its counters,
// each message in the outbox against what is owed (right bytes, right member, once, in the order of
// its sender; what is for protocol v2 is opened, and each entry must be the log's), each notice and
// answer, and the ledger. Every kCompareEvery events, and at the end, the relay's whole state is
// compared with the model's. At the end faults cease. First members stay, and those with protocol
// v2 must come to have all that was said; then clients fall silent, and all has to come to rest,
// with every member timed out, nothing waiting, no timer armed, no datagram lost track of; and the
// books agree with what has gone through the sockets. A quiet room's message never waits for more
// than a turn of each busy address, and no turn does more work than it may (delays.h).
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/clients.h"
#include "tests/sim/faults.h"
#include "tests/sim/model.h"
#include "tests/sim/network.h"
#include "tests/sim/operator.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Simulation {
 public:
  static constexpr std::uint64_t kCompareEvery = 2048;

  explicit Simulation(std::uint64_t seed, bool print_trace = false);

  // So many events, and then as many as it takes to come to rest. False: something was found.
  bool run(std::uint64_t steps);

  std::uint64_t events() const { return events_; }
  std::uint64_t trace_hash() const { return world_.trace.hash(); }
  const Coverage& seen() const { return world_.seen; }
  // What was found, where, the last steps, and the command that shows it again.
  std::string report(std::uint64_t steps) const;

 private:
  static constexpr std::uint64_t kMaxEventsToRest = 5'000'000;
  static constexpr std::uint64_t kSettleUs = 60'000'000;  // without anybody getting anything

  void take_event();
  void handle(const Event& event);
  void settle();
  void come_to_rest();

  World world_;
  Network network_;
  Model model_;
  Server server_;
  Clients clients_;
  Faults faults_;
  Operator operator_;
  std::uint64_t events_ = 0;
};

}  // namespace chatd::sim
