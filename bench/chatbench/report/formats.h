// A run's result in its forms: JSON, text for a terminal, a page, and two runs side by side.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

// A run's result as a JSON file: what `--json` writes and `chatbench compare` reads.
//
// {"schema": "chatbench.run", "schema_version": 2, …}: keys carry their unit, null is what could
// not be measured. The keys are listed in bench/chatbench/report/run_result_fields.h.

inline constexpr std::string_view kSchemaName = "chatbench.run";

// Ends with a newline.
std::string to_json(const RunResult& result);

// An error names the field at fault, or says that the file is of another version.
tl::expected<RunResult, std::string> parse_json(std::string_view json);

// From a file; errors begin with its path.
tl::expected<RunResult, std::string> load_json(const std::string& path);

// The result of a run as text for a terminal.
enum class TextStyle { kPlain, kColor };  // color: for a terminal alone

std::string to_table(const RunResult& result, TextStyle style = TextStyle::kPlain);

// "open loop (poisson, 2,000/s messages)": what the figures stand for.
std::string describe_loop(const RunSettings& settings);
// "20 rooms × 10 members, 1 sender each, 128-byte payloads"
std::string describe_workload(const RunSettings& settings);
// "Linux 6.1.0, AMD EPYC 7B13, 2 cores"
std::string describe_machine(const Machine& machine);

// A run's result as one HTML file that needs nothing else: style, script and figures are inside,
// and it asks no server for anything (a content security policy in the page holds that).
std::string to_html(const RunResult& result);

// JSON in a form that cannot end or change the <script> element it stands in, whatever its strings
// hold: '<' becomes \u003c. It remains the same JSON.
std::string json_for_script(std::string_view json);

// Why the two may not be comparable: settings or machines that differ (each with its key and both
// values), runs that are INVALID. Empty: like with like.
std::vector<std::string> comparison_warnings(const RunResult& a, const RunResult& b);

// `chatbench compare A.json B.json`, a table: metric, A, B, and B/A; with the warnings before it.
std::string to_comparison(const RunResult& a, const RunResult& b);

}  // namespace chatd::bench
