// Options from environment variables: CHATD_MAX_ROOMS is --max-rooms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/config/override.h"

namespace chatd::config {

struct Environment {
  std::vector<Override> overrides;
  std::optional<std::string> file;  // CHATD_CONFIG
};

// `environment` is as `environ`: name=value, and a null pointer at the end. CHATD_TEST_... belongs
// to the test suite; any other variable that starts with CHATD_ must be known, since it is most
// likely an option that somebody has misspelt.
Environment read_environment(const char* const* environment, Errors& errors);

}  // namespace chatd::config
