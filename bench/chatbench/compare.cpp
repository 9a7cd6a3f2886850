#include "bench/chatbench/compare.h"

#include <cstdio>

#include "bench/chatbench/report/comparison.h"
#include "bench/chatbench/report/json_report.h"

namespace chatd::bench {

ExitCode compare(const CompareOptions& options) {
  const auto a = load_json(options.a_path);
  const auto b = load_json(options.b_path);
  for (const auto* loaded : {&a, &b}) {
    if (!*loaded) std::fprintf(stderr, "chatbench: %s\n", loaded->error().c_str());
  }
  if (!a || !b) return ExitCode::kFailure;
  std::fputs(to_comparison(*a, *b).c_str(), stdout);
  return ExitCode::kOk;
}

}  // namespace chatd::bench
