// Whether a measurement may be believed. A load generator that cannot keep up measures itself: each
// reason found here is a whole sentence that says what was wrong, which figures it spoils, and what
// to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/chatbench/engine/measurement.h"
#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

struct VerdictLimits {
  std::int64_t max_send_lag_ns = 10'000'000;  // of the 99th percentile
  double max_own_cpu_share = 0.95;            // of a core: chatbench has one thread
  double min_server_cpu_share = 0.9;          // closed loop: below, the server waited for us
  double max_unsent_share = 0.01;             // open loop: of the messages that were due
};

std::vector<std::string> reasons_for_distrust(LoopKind loop, const Measurement& measured,
                                              const VerdictLimits& limits);

}  // namespace chatd::bench
