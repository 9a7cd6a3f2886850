// A snapshot as one JSON object: all that the status page shows, and what scripts want to know.
// Counters have the names that logs and docs use. Thread: any.
#pragma once

#include <string>

#include "server/admin/snapshot.h"

namespace chatd {

std::string status_json(const Snapshot& snapshot);

}  // namespace chatd
