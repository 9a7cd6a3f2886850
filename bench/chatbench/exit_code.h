// How chatbench ends (chatbench --help lists them, too).
#pragma once

namespace chatd::bench {

enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,    // no run, or no result: the server cannot be reached, a file not be written
  kUsage = 2,      // flags that cannot be
  kInvalid = 3,    // there is a result, and it is not what the server can do
  kSloMissed = 99  // the result can be trusted, and does not hold what --slo asks for
};

}  // namespace chatd::bench
