// The result of one run of chatbench as plain values: what the JSON file holds, and what the table,
// the page, the SLO and `compare` are made from. The engine fills it in, once, at the end.
//
// Names carry their unit. What could not be measured (no --server-pid, no such file in /proc) is an
// empty optional: n/a in the table, null in JSON, never 0. A delivery that did not come took kNever
// nanoseconds: «never» in the table, 18446744073709551615 in JSON, more than any limit either way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/chatbench/report/latency_summary.h"

namespace chatd::bench {

// Of the JSON file. Any change of a key's name, unit or meaning is a new version.
inline constexpr std::uint64_t kSchemaVersion = 3;

// Open: messages are sent at their scheduled times, and latency counts from those; an overloaded
// server shows. Closed: a room's next message waits for deliveries of an earlier one; this shows
// how fast it can go, and its latency says little about a server that others load.
enum class LoopKind : std::uint8_t { kOpen, kClosed };

struct RunSettings {
  std::string target = "chatd";  // by the name that make_target.h knows
  bool tls = false;              // a broker's connections are in TLS
  LoopKind loop = LoopKind::kOpen;
  std::string arrival = "constant";  // constant or poisson, of an open loop
  std::uint64_t rooms = 0;
  std::uint64_t members_per_room = 0;
  std::uint64_t senders_per_room = 0;
  std::string size_bytes;               // of a payload, as given: "128" or a distribution
  std::optional<double> rate_per_s;     // messages in all rooms together; open loop
  std::optional<std::uint64_t> window;  // messages in flight per room; closed loop
  std::uint64_t seed = 0;
  std::uint64_t connections = 0;  // TCP, at a time while members join
  std::uint64_t joins_per_connection = 1;
  std::string sockets = "shared";  // shared (many members each) or own
  bool gro = false;                // UDP_GRO on the receiving sockets
  bool gso = false;                // what a member says in one go leaves as one UDP_SEGMENT train

  bool operator==(const RunSettings&) const = default;
};

struct Machine {
  std::string kernel;  // release
  std::string cpu_model;
  std::uint64_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::optional<std::string> governor;  // of frequency scaling

  bool operator==(const Machine&) const = default;
};

// How long each phase took.
struct Phases {
  double connect_s = 0;
  double warm_up_s = 0;
  double measure_s = 0;
  double drain_s = 0;

  bool operator==(const Phases&) const = default;
};

struct JoinFigures {
  std::uint64_t count = 0;  // members that are in
  std::uint64_t failed = 0;
  double seconds = 0;
  double rate_per_s = 0;
  std::optional<double> server_cpu_ns_per_join;

  bool operator==(const JoinFigures&) const = default;
};

// Who lost a delivery. `unattributed` is what none of the counters that could be read explains.
struct LossByCause {
  std::uint64_t chatbench_send = 0;     // our own socket refused it
  std::uint64_t chatbench_receive = 0;  // our own receive buffer was full
  std::uint64_t server_kernel = 0;      // the server's receive buffer was full
  std::uint64_t server = 0;             // the server's counters say that it dropped it
  std::uint64_t unattributed = 0;

  bool operator==(const LossByCause&) const = default;
};

// The ledger: expected_deliveries = delivered + lost, and lost is the sum of lost_by.
struct Totals {
  std::uint64_t sent = 0;  // messages
  std::uint64_t expected_deliveries = 0;
  std::uint64_t delivered = 0;  // each once
  std::uint64_t lost = 0;
  LossByCause lost_by;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  // came after a later message of the same sender
  std::uint64_t late = 0;       // delivered, but later than --give-up
  std::uint64_t foreign = 0;    // of another room, of the member itself, or never sent
  std::uint64_t corrupted = 0;  // not what was sent

  bool operator==(const Totals&) const = default;
};

// How a protocol that repairs what is lost has done so: all members together, from the begin of the
// measure phase to the end of drain. Who comes and goes is an entry, too.
struct RepairCounts {
  std::uint64_t said_again = 0;        // datagrams with something that had been said before
  std::uint64_t repairs_asked = 0;     // times that a member has asked for what it missed
  std::uint64_t entries_repeated = 0;  // that a member had already
  std::uint64_t entries_lost = 0;      // that a member will never get, as the server says

  bool operator==(const RepairCounts&) const = default;
};

// Over the measure phase.
struct Rates {
  std::optional<double> offered_per_s;  // messages that the schedule asked for; open loop
  double sent_per_s = 0;
  double delivered_per_s = 0;
  double received_bytes_per_s = 0;  // payloads

  bool operator==(const Rates&) const = default;
};

// One second of the measure phase.
struct SecondFigures {
  double at_s = 0;  // its end, from the begin of the phase
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::optional<std::uint64_t> p50_ns;
  std::optional<std::uint64_t> p99_ns;
  std::uint64_t max_ns = 0;
  std::optional<double> server_cpu_share;  // 1 is a core

  bool operator==(const SecondFigures&) const = default;
};

// Of --server-pid, all its threads.
struct ServerCost {
  std::uint64_t pid = 0;
  double cpu_s = 0;                           // in the measure phase
  double cpu_share = 0;                       // 1 is a core
  std::optional<double> cpu_ns_per_delivery;  // nothing when nothing was delivered
  std::uint64_t resident_bytes_before = 0;    // before the first join
  std::uint64_t resident_bytes_joined = 0;
  std::uint64_t resident_bytes_end = 0;
  std::optional<double> resident_bytes_per_member;  // (joined - before) / members

  bool operator==(const ServerCost&) const = default;
};

// chatbench's own cost in the measure phase: near a core per thread, it is the bottleneck.
struct ClientCpu {
  double cpu_share = 0;  // 1 is a core
  std::uint64_t threads = 1;

  bool operator==(const ClientCpu&) const = default;
};

struct SloCheck {
  std::string condition;  // "p99 < 5 ms"
  std::string actual;     // "6.12 ms", or why there is no value
  bool is_met = false;

  bool operator==(const SloCheck&) const = default;
};

struct SloOutcome {
  std::string text;  // as given
  std::vector<SloCheck> checks;

  bool is_met() const {
    for (const SloCheck& check : checks) {
      if (!check.is_met) return false;
    }
    return true;
  }
  bool operator==(const SloOutcome&) const = default;
};

// One step of --find-max.
struct SearchStep {
  double rate_per_s = 0;
  bool holds = false;   // the SLO was met, and the step can be trusted
  std::string outcome;  // "holds", or why not

  bool operator==(const SearchStep&) const = default;
};

struct RunResult {
  std::string tool_version;
  std::string started_at;  // UTC, 2024-05-06T07:08:09Z
  RunSettings settings;
  Machine machine;
  Phases phases;
  JoinFigures joins;
  Totals totals;
  std::optional<RepairCounts> repairs;  // nothing: the target's protocol repairs nothing
  Rates rates;
  LatencySummary response_time;  // of all deliveries that were due; open loop: from when they were
  LatencySummary send_lag;       // from the scheduled time to the send call; open loop
  std::vector<SecondFigures> seconds;
  std::optional<ServerCost> server;
  ClientCpu own;
  std::vector<std::string> invalid_because;  // whole sentences; empty: the figures can be trusted
  std::optional<SloOutcome> slo;
  // --find-max: all steps, in their order; the rest of this result is that of the highest that
  // holds.
  std::vector<SearchStep> search;

  bool is_valid() const { return invalid_because.empty(); }
  bool operator==(const RunResult&) const = default;
};

}  // namespace chatd::bench
