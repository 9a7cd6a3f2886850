// For what the machine refuses to the test itself (no descriptors, no such interface): not a result
// of the test, so there is nothing to go on with. Each test is a process of its own under ctest.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace chatd::test {

[[noreturn]] inline void die(const char* what) {
  std::fprintf(stderr, "test kit: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

}  // namespace chatd::test
