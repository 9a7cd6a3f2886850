// The whole relay under any sequence of what may happen to it (tests/model/relay_script.h).
#include "tests/fuzz/targets.h"
#include "tests/model/relay_script.h"

namespace chatd::fuzz {

void fuzz_relay(std::string_view input) {
  test::run_relay_script(input);
}

}  // namespace chatd::fuzz
