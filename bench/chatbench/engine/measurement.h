// What the engine has measured in one pass of warm-up, measure and drain: figures as they were
// counted. result.h makes a RunResult of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/chatbench/report/run_result.h"
#include "bench/chatbench/stats/histogram.h"
#include "bench/chatbench/target/target.h"
#include "bench/chatbench/workload/ledger.h"

namespace chatd::bench {

struct Measurement {
  double warm_up_s = 0;
  double measure_s = 0;
  double drain_s = 0;

  LedgerCounts counts;
  std::uint64_t unheard = 0;        // messages that nobody got (Ledger::unheard)
  std::uint64_t scheduled = 0;      // open loop: messages that were due in the measure phase
  std::uint64_t arrived = 0;        // deliveries in the measure phase, of whatever message
  std::uint64_t arrived_bytes = 0;  // their payloads
  Histogram response_time;          // in nanoseconds, of all deliveries that were due
  Histogram send_lag;
  std::vector<SecondFigures> seconds;

  double own_cpu_s = 0;                // in the measure phase, as the next
  std::optional<double> server_cpu_s;  // nothing: no --server-pid
  ClientErrors faults;                 // from the begin of the measure phase to the end of drain
  std::optional<std::uint64_t> server_socket_drops;  // the same; nothing: not on this machine
  std::optional<RepairCounts> repairs;               // the same
  std::uint64_t members_lost = 0;
  std::uint64_t warnings = 0;  // that somebody sends more than the server's limits allow
  std::string server_trouble;  // that it has ended, or does not answer; empty: nothing of it
  bool was_interrupted = false;
};

}  // namespace chatd::bench
