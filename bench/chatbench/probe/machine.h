// What a result was measured on.
#pragma once

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

Machine this_machine();

}  // namespace chatd::bench
