// libFuzzer's way into a target; it brings main(). Built once for each target, whose name comes
// from the build.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // For no bytes there may be no memory either; a view must point somewhere.
  chatd::fuzz::CHATD_FUZZ_TARGET(size == 0
                                     ? std::string_view("")
                                     : std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
