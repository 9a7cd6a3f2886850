// The clock of a shard's duty cycle: monotonic, in milliseconds, read once a cycle.
#pragma once

#include <ctime>

#include "core/timer/timestamp.h"

namespace chatd {

inline TimeMs monotonic_now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeMs>(now.tv_sec) * 1000 + static_cast<TimeMs>(now.tv_nsec) / 1'000'000;
}

}  // namespace chatd
