// `chatbench run`: from the options to the reports.
#pragma once

#include "bench/chatbench/exit_code.h"
#include "bench/chatbench/options.h"

namespace chatd::bench {

ExitCode run(const RunOptions& options);

}  // namespace chatd::bench
