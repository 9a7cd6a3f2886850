// What is allowed, and hardly what was meant.
#pragma once

#include <string>
#include <vector>

#include "server/config/configuration.h"

namespace chatd::config {

// Sentences, for the person who checks a configuration.
std::vector<std::string> warnings(const Configuration& configuration);

}  // namespace chatd::config
