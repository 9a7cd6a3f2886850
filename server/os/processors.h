// How much processor this process may use, and how its threads share it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chatd {

// How much processor time this process may use at all: a container, or CPUQuota= of its unit, may
// have less than the processors that it sees (cgroups(7); cpu.max of version 2, cpu.cfs_quota_us of
// version 1). Who starts a thread for each processor then has threads that stand still together,
// each time when the quota is used up.
//
// In processors: 1.5 is three half ones, or one and a half. Of its own group and all above it, the
// smallest. Nothing when there is no quota, or nobody says. `root` is for tests.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

// The processors that this process may use (sched_setaffinity(2): an operator, a container or
// taskset may have narrowed them): their numbers, never empty.
std::vector<std::size_t> usable_processors();

// As many threads as can run at once: one for each processor, but no more than the quota
// (cpu_quota), rounded up, has time for. And so many are they here.
std::size_t threads_for(std::size_t processors, std::optional<double> quota);
std::size_t usable_threads();
// The same in words, as in "2: 8 processors, and a quota of 1.5".
std::string explain_usable_threads();

// Both for the calling thread. A name has at most 15 bytes. Pinning is an optimisation: where it is
// not permitted, the scheduler decides.
void name_thread(const std::string& name);
void pin_thread(std::size_t processor);

}  // namespace chatd
