// `chatbench compare A.json B.json`.
#pragma once

#include "bench/chatbench/exit_code.h"
#include "bench/chatbench/options.h"

namespace chatd::bench {

ExitCode compare(const CompareOptions& options);

}  // namespace chatd::bench
