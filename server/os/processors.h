// The processors that this process may use (sched_setaffinity(2): an operator, a container or
// taskset may have narrowed them).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace chatd {

// Their numbers; never empty.
std::vector<std::size_t> usable_processors();

// As many threads as can run at once: one for each processor, but no more than the quota
// (cpu_quota.h), rounded up, has time for. And so many are they here.
std::size_t threads_for(std::size_t processors, std::optional<double> quota);
std::size_t usable_threads();
// The same in words, as in "2: 8 processors, and a quota of 1.5".
std::string explain_usable_threads();

// Both for the calling thread. A name has at most 15 bytes. Pinning is an optimisation: where it is
// not permitted, the scheduler decides.
void name_thread(const std::string& name);
void pin_thread(std::size_t processor);

}  // namespace chatd
