// How much processor time this process may use at all: a container, or CPUQuota= of its unit, may
// have less than the processors that it sees (cgroups(7); cpu.max of version 2, cpu.cfs_quota_us of
// version 1). Who starts a thread for each processor then has threads that stand still together,
// each time when the quota is used up. Thread: any.
#pragma once

#include <filesystem>
#include <optional>

namespace chatd {

// In processors: 1.5 is three half ones, or one and a half. Of its own group and all above it, the
// smallest. Nothing when there is no quota, or nobody says. `root` is for tests.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

}  // namespace chatd
