// ServerStats as metrics in Prometheus' text format (version 0.0.4). Labels have values that chatd
// chooses, never members: shards and reasons. Counters follow from core/stats/counters.h; the other
// metrics stand here, once. Thread: any.
#pragma once

#include <string>

#include "server/admin/server_stats.h"

namespace chatd {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const ServerStats& stats);

// For docs/reference/metrics.md: a Markdown table of all of them, with the text that HELP has.
std::string metrics_table();

}  // namespace chatd
