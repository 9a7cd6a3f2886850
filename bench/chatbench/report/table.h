// The result of a run as text for a terminal.
#pragma once

#include <string>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

enum class TextStyle { kPlain, kColor };  // color: for a terminal alone

std::string to_table(const RunResult& result, TextStyle style = TextStyle::kPlain);

// "open loop (poisson, 2,000/s messages)": what the figures stand for.
std::string describe_loop(const RunSettings& settings);
// "20 rooms × 10 members, 1 sender each, 128-byte payloads"
std::string describe_workload(const RunSettings& settings);
// "Linux 6.1.0, AMD EPYC 7B13, 2 cores"
std::string describe_machine(const Machine& machine);

}  // namespace chatd::bench
