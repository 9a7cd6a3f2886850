// The one place where the client reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace chatd::client {

// Milliseconds of the steady clock: good for intervals, says nothing about the time of day.
inline std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace chatd::client
