// chatbench's two commands, and how they end.
#pragma once

#include "bench/chatbench/options.h"

namespace chatd::bench {

// How chatbench ends (chatbench --help lists them, too).
enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,    // no run, or no result: the server cannot be reached, a file not be written
  kUsage = 2,      // flags that cannot be
  kInvalid = 3,    // there is a result, and it is not what the server can do
  kSloMissed = 99  // the result can be trusted, and does not hold what --slo asks for
};

// `chatbench run`: from the options to the reports.
ExitCode run(const RunOptions& options);

// `chatbench compare A.json B.json`.
ExitCode compare(const CompareOptions& options);

}  // namespace chatd::bench
