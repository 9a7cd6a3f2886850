// A snapshot as metrics in Prometheus' text format (version 0.0.4). What each metric means stands
// beside it in the text itself, and in docs/reference/metrics.md. Labels have values that chatd
// chooses, never members: shards and reasons. Thread: any.
#pragma once

#include <string>

#include "server/admin/snapshot.h"

namespace chatd {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const Snapshot& snapshot);

}  // namespace chatd
