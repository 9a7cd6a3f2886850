// Two runs side by side: `chatbench compare A.json B.json`.
#pragma once

#include <string>
#include <vector>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

// Why the two may not be comparable: settings or machines that differ (each with its key and both
// values), runs that are INVALID. Empty: like with like.
std::vector<std::string> comparison_warnings(const RunResult& a, const RunResult& b);

// A table: metric, A, B, and B/A; with the warnings before it.
std::string to_comparison(const RunResult& a, const RunResult& b);

}  // namespace chatd::bench
