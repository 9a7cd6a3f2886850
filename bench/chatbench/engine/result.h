// From what was counted to what is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/chatbench/engine/measurement.h"
#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

// Who lost what the ledger misses.
//
// The counters that can be read count different things: chatbench's refused sends and the server's
// full socket lose messages, and with each all its deliveries; chatbench's full sockets lose single
// deliveries, or whole trains with UDP_GRO. So each explains as much of the loss as it can, the
// surest first, and what is left is unattributed.
struct LossEvidence {
  std::uint64_t lost = 0;                            // deliveries
  std::uint64_t unheard = 0;                         // messages of which no delivery came
  std::uint64_t deliveries_per_message = 1;          // members of a room - 1
  std::uint64_t unsent = 0;                          // messages that our kernel refused
  std::uint64_t own_receive_drops = 0;               // datagrams or trains
  bool in_trains = false;                            // our sockets receive trains
  std::optional<std::uint64_t> server_socket_drops;  // messages, in front of the server
};

LossByCause attribute_loss(const LossEvidence& evidence);

// The connect phase.
struct ConnectFigures {
  std::uint64_t members = 0;
  double seconds = 0;
  // With --server-pid.
  std::optional<double> server_cpu_s;
  std::uint64_t server_pid = 0;
  std::uint64_t resident_bytes_before = 0;
  std::uint64_t resident_bytes_joined = 0;
};

// `resident_bytes_end` is the server's, at the end of the run. Verdict (verdict.h) and SLO are not
// in it yet.
RunResult make_result(const RunSettings& settings, const ConnectFigures& connect,
                      const Measurement& measured, std::uint64_t resident_bytes_end);

}  // namespace chatd::bench
