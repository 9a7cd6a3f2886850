// Time, and waiting for a descriptor until some time or until one is called off.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace chatd::client {

// Milliseconds of the steady clock: good for intervals, says nothing about the time of day. The one
// place where the client reads a clock.
inline std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

enum class WaitResult : std::uint8_t { kReady, kTimedOut, kInterrupted };

// Waits until `fd` has one of poll(2)'s `events` (or an error, which the next call on it reports),
// `deadline_ms` of now_ms() passes, or `interrupt_fd` becomes readable (-1: nothing interrupts).
WaitResult wait_for(int fd, short events, std::int64_t deadline_ms, int interrupt_fd);

// poll(2)'s timeout for a deadline of now_ms(): 0 when it has passed, rounded up otherwise.
int poll_timeout_ms(std::int64_t deadline_ms);

// errno in words.
std::string system_reason(int error);

}  // namespace chatd::client
