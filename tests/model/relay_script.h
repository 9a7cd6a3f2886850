// Any bytes as a sequence of what may happen to a relay, which RelayWorld judges step by step. The
// fuzzer invents the bytes, the model test rolls dice for them.
#pragma once

#include <string_view>

namespace chatd::test {

// Throws PromiseBroken.
void run_relay_script(std::string_view bytes);

}  // namespace chatd::test
