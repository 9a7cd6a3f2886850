// Counts what the program allocates: counted_new.cpp replaces the global operator new.
#pragma once

#include <cstdint>

namespace chatd::test {

// Allocations so far, of all threads.
std::uint64_t allocation_count();

// From here on `count` of those that may fail without throwing (new (std::nothrow)) succeed, and
// the next one fails; it alone.
void fail_nothrow_after(std::uint64_t count);

}  // namespace chatd::test
