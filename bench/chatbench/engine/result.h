// From what was counted to what is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/chatbench/engine/measurement.h"
#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

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
