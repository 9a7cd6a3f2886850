// Takes a snapshot of a chatd that runs. Thread: any but the shards'.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "core/timer/timestamp.h"
#include "server/admin/questions.h"
#include "server/admin/snapshot.h"

namespace chatd {

// When chatd was started, by both clocks.
struct StartTime {
  TimeMs monotonic_ms = 0;
  std::uint64_t unix_s = 0;

  static StartTime now();
};

tl::expected<Snapshot, std::string> take_snapshot(Questions& questions, const StartTime& start);

}  // namespace chatd
