// ServerStats as one JSON object: all that the status page shows, and what scripts want to know.
// Counters have the names that logs and docs use. Thread: any.
#pragma once

#include <string>

#include "server/admin/server_stats.h"

namespace chatd {

std::string status_json(const ServerStats& stats);

}  // namespace chatd
