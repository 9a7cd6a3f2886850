// A run's result as one HTML file that needs nothing else: style, script and figures are inside,
// and it asks no server for anything (a content security policy in the page holds that).
#pragma once

#include <string>
#include <string_view>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

std::string to_html(const RunResult& result);

// JSON in a form that cannot end or change the <script> element it stands in, whatever its strings
// hold: '<' becomes \u003c. It remains the same JSON.
std::string json_for_script(std::string_view json);

}  // namespace chatd::bench
