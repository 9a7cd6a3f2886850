// Options from the configuration file, which is TOML: a table for each section, a key for each
// option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/config/override.h"

namespace chatd::config {

// `path` is for places only: PATH:LINE, and in errors PATH:LINE:COLUMN.
std::vector<Override> read_toml(std::string_view content, const std::string& path, Errors& errors);

std::vector<Override> read_config_file(const std::string& path, Errors& errors);

}  // namespace chatd::config
