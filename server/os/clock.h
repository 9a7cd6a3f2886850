// The clock of a shard's duty cycle: monotonic, read once a cycle; in nanoseconds for histograms,
// and in milliseconds for everything else.
#pragma once

#include <cstdint>
#include <ctime>

#include "core/base/timestamp.h"

namespace chatd {

using TimeNs = std::uint64_t;

inline TimeNs monotonic_now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + static_cast<TimeNs>(now.tv_nsec);
}

inline TimeMs to_ms(TimeNs now_ns) {
  return now_ns / 1'000'000;
}

inline TimeMs monotonic_now_ms() {
  return to_ms(monotonic_now_ns());
}

}  // namespace chatd
