// A run's result as a JSON file: what `--json` writes and `chatbench compare` reads.
//
// {"schema": "chatbench.run", "schema_version": 2, …}: keys carry their unit, null is what could
// not be measured. The keys are listed in bench/chatbench/report/run_result_fields.h.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

inline constexpr std::string_view kSchemaName = "chatbench.run";

// Ends with a newline.
std::string to_json(const RunResult& result);

// An error names the field at fault, or says that the file is of another version.
tl::expected<RunResult, std::string> parse_json(std::string_view json);

// From a file; errors begin with its path.
tl::expected<RunResult, std::string> load_json(const std::string& path);

}  // namespace chatd::bench
