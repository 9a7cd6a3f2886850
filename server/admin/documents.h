// What the admin endpoint tells programs, as text: JSON, and metrics in Prometheus' format.
//
// Thread: any.
#pragma once

#include <string>

#include "server/admin/server_stats.h"
#include "server/config/configuration.h"

namespace chatd {

// ServerStats as one JSON object: all that the status page shows, and what scripts want to know.
// Counters have the names that logs and docs use.
std::string status_json(const ServerStats& stats);

// The configuration that is in force, as JSON: each option with its value, where that comes from,
// and whether a running chatd can take over another one. There is no secret among the options.
std::string config_json(const config::Configuration& configuration);

// ServerStats as metrics in Prometheus' text format (version 0.0.4). Labels have values that chatd
// chooses, never members: shards and reasons. Counters follow from core/stats/counters.h; the other
// metrics stand here, once.

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const ServerStats& stats);

// For docs/reference/metrics.md: a Markdown table of all of them, with the text that HELP has.
std::string metrics_table();

}  // namespace chatd
