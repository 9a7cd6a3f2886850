// Counts what the program allocates: counted_new.cpp replaces the global operator new.
#pragma once

#include <cstdint>

namespace chatd::test {

// Allocations so far, of all threads.
std::uint64_t allocation_count();

}  // namespace chatd::test
