// What the kernel says about a running process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace chatd::test {

std::size_t resident_bytes(pid_t pid);    // VmRSS
std::size_t open_descriptors(pid_t pid);  // entries of /proc/PID/fd
// Whether one of them leads to this: a path, or what the kernel calls it (proc(5)).
bool has_descriptor(pid_t pid, std::string_view target);
// The processes that it has started and that are there. In the order of their start.
std::vector<pid_t> children_of(pid_t pid);
std::chrono::milliseconds cpu_time(pid_t pid);  // user and system; ticks of 10 ms
// How long it was ready to run and had no processor; 0 where the kernel does not tell.
std::chrono::milliseconds processor_wait(pid_t pid);
std::uint64_t soft_open_files_limit(pid_t pid);
void set_soft_open_files_limit(pid_t pid, std::uint64_t limit);
// For a test that opens sockets by the thousand: the test's own soft limit becomes the hard one.
void raise_own_open_files_limit();

}  // namespace chatd::test
