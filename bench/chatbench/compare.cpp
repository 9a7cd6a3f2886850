#include "bench/chatbench/compare.h"

#include <string>
#include <string_view>

#include "bench/chatbench/output.h"
#include "bench/chatbench/report/comparison.h"
#include "bench/chatbench/report/json_report.h"
#include "client/terminal/sanitize.h"

namespace chatd::bench {
namespace {

// The files' own words may be anything.
std::string sanitized_lines(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    safe += client::sanitize(line) + "\n";
  }
  return safe;
}

}  // namespace

ExitCode compare(const CompareOptions& options) {
  const auto a = load_json(options.a_path);
  const auto b = load_json(options.b_path);
  for (const auto* loaded : {&a, &b}) {
    if (!*loaded) say(loaded->error());
  }
  if (!a || !b) return ExitCode::kFailure;
  return print(sanitized_lines(to_comparison(*a, *b))) ? ExitCode::kOk : ExitCode::kFailure;
}

}  // namespace chatd::bench
