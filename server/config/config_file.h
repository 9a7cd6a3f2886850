// Options from the configuration file, which is TOML: a table for each group, a key for each
// option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/config/given.h"

namespace chatd::config {

// `path` is for places only: PATH:LINE, and in errors PATH:LINE:COLUMN.
std::vector<Given> read_toml(std::string_view content, const std::string& path, Errors& errors);

std::vector<Given> read_config_file(const std::string& path, Errors& errors);

}  // namespace chatd::config
