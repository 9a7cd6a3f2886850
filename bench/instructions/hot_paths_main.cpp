// chatd_hot_paths: repeats each hot path under callgrind, which is told to count in between only,
// and to write each count to a file of its own under the name "PATH xOPERATIONS".
//
// Without callgrind it runs all the same, and counts nothing.
#include <valgrind/callgrind.h>

#include <string>

#include "bench/instructions/hot_path.h"

int main() {
  for (const chatd::bench::HotPath& path : chatd::bench::hot_paths()) {
    const auto repeat = path.prepare();
    repeat(3);  // whatever is made at the first use
    const std::string name =
        path.name + " x" + std::to_string(path.repetitions * path.operations_per_repetition);
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    repeat(path.repetitions);
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
  }
  return 0;
}
