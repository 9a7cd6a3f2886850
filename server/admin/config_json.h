// The configuration that is in force, as JSON: each option with its value, where that comes from,
// and whether a running chatd can take over another one. There is no secret among the options.
// Thread: any.
#pragma once

#include <string>

#include "server/config/configuration.h"

namespace chatd {

std::string config_json(const config::Configuration& configuration);

}  // namespace chatd
