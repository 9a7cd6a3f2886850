// What a run does to its target.
#pragma once

#include <cstdint>

#include "bench/chatbench/report/run_result.h"
#include "bench/chatbench/target/target.h"
#include "bench/chatbench/workload/distributions.h"

namespace chatd::bench {

struct Workload {
  Population population;
  LoopKind loop = LoopKind::kOpen;
  Arrivals arrivals = Arrivals::kConstant;  // open loop
  double rate_per_s = 0;                    // open loop: messages in all rooms together
  std::uint32_t window = 0;                 // closed loop: messages under way in each room
  SizeDistribution sizes;
  std::uint64_t seed = 1;
  std::int64_t warm_up_ns = 0;
  std::int64_t measure_ns = 0;
  std::int64_t drain_ns = 0;
  std::int64_t give_up_ns = 0;  // a delivery after that is late, and a closed loop goes on
};

}  // namespace chatd::bench
