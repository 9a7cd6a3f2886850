// Whether a measurement may be believed. A load generator that cannot keep up measures itself,
// and a server that ends in the middle is very quick until then: each reason found here is a whole
// sentence that says what was wrong, which figures it spoils, and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/chatbench/engine/measurement.h"
#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

struct VerdictLimits {
  std::int64_t max_send_lag_ns = 10'000'000;
  // Of the send lag: the percentile up to which the response time must be right, 1 is the longest.
  // What is said about the slowest thousandth must not be about messages that left late.
  double lag_percentile = 0.99;
  double max_own_cpu_share = 0.95;    // of a core: chatbench has one thread
  double min_server_cpu_share = 0.9;  // closed loop: below, the server waited for us
  double max_unsent_share = 0.01;     // open loop: of the messages that were due
};

struct Verdict {
  std::vector<std::string> reasons;  // against it; empty: it may be believed
  // The server, or members on it, are not there any more: another run on them would measure
  // nothing.
  bool is_server_lost = false;
};

Verdict judge(LoopKind loop, const Measurement& measured, const VerdictLimits& limits);

}  // namespace chatd::bench
