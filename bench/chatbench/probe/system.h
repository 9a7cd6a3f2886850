// What this machine tells: the time, what a process costs, and what a result was measured on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <optional>

#include "bench/chatbench/report/run_result.h"
#include "client/net/unique_fd.h"

namespace chatd::bench {

// The engine's clock: nanoseconds of CLOCK_MONOTONIC.
inline std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Processor time of all threads together, those that have ended included, in nanoseconds: the clock
// that clock_getcpuclockid(3) gives, which is exact at any moment (utime and stime in
// /proc/PID/stat come in ticks of 10 ms, and schedstat lags behind while a thread runs). Softirq
// work that the kernel does on the process's back is in it. Nothing when there is no such process.
std::optional<std::int64_t> cpu_ns_of(pid_t pid);
std::int64_t own_cpu_ns();

// Resident memory (/proc/PID/statm).
std::optional<std::uint64_t> resident_bytes_of(pid_t pid);

// Notices when a process ends, also when its parent has not waited for it yet, or when another one
// has got its number since (pidfd_open(2)).
class ProcessWatch {
 public:
  explicit ProcessWatch(pid_t pid);
  bool has_ended() const;

 private:
  UniqueFd fd_;
  bool was_gone_ = false;
};

// What a result was measured on.
Machine this_machine();

}  // namespace chatd::bench
