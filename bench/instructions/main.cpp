// chatd_instructions: counts the instructions of the hot paths and holds them against their
// budgets. Started by perf/instructions and by ctest.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/instructions/budgets.h"
#include "bench/instructions/measurement.h"

namespace chatd::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr int kSkipped = 77;  // as ctest and automake have it

struct Options {
  std::string program;
  std::string budgets;
  bool update = false;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "instructions: %s\n", why.c_str());
  return kFailed;
}
int skip(const std::string& why) {
  std::fprintf(stderr, "instructions: skipped, %s\n", why.c_str());
  return kSkipped;
}

tl::expected<Budgets, std::string> read_budgets(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return tl::unexpected(path + ": cannot be read");
  auto budgets = parse_budgets(text.str());
  if (!budgets) return tl::unexpected(path + ": " + budgets.error());
  return budgets;
}

int update(const Options& options) {
  const auto counted = count_instructions(options.program);
  if (!counted) return fail(counted.error());
  if (const auto old = read_budgets(options.budgets)) {
    std::fputs(to_text(compare(*old, *counted)).c_str(), stdout);
  }
  std::ofstream out(options.budgets);
  out << to_json(Budgets{.compiler = CHATD_COMPILER, .instructions = *counted});
  if (!out.flush()) return fail(options.budgets + ": cannot be written");
  std::printf("\n%s is written: look at the difference, and say in the commit why.\n",
              options.budgets.c_str());
  return 0;
}

int check(const Options& options) {
  const auto budgets = read_budgets(options.budgets);
  if (!budgets) return fail(budgets.error());
  if (budgets->compiler != CHATD_COMPILER) {
    return skip("the budgets were counted with " + budgets->compiler + ", and this is " +
                CHATD_COMPILER + ", which makes other instructions of the same code");
  }
  const auto counted = count_instructions(options.program);
  if (!counted) return fail(counted.error());
  const auto rows = compare(*budgets, *counted);
  std::fputs(to_text(rows).c_str(), stdout);
  const auto has = [&rows](BudgetVerdict verdict) {
    return std::any_of(rows.begin(), rows.end(),
                       [verdict](const BudgetRow& row) { return row.verdict == verdict; });
  };
  if (std::all_of(rows.begin(), rows.end(),
                  [](const BudgetRow& row) { return is_accepted(row.verdict); })) {
    if (has(BudgetVerdict::kBelow))
      std::puts("\nTo tighten the budgets: perf/instructions --update");
    return 0;
  }
  return fail(
      has(BudgetVerdict::kOver)
          ? "a hot path takes over 5 % more instructions than its budget. Make it cheaper, or, "
            "if the price is right, take it on: perf/instructions --update"
          : "the budgets no longer fit (they guard nothing where they are far too high): "
            "perf/instructions --update");
}

}  // namespace
}  // namespace chatd::bench

int main(int argc, char** argv) {
  using namespace chatd::bench;
  CLI::App app(
      "Counts the instructions of chatd's hot paths under callgrind, and compares them with "
      "their budgets");
  Options options;
  app.add_option("--hot-paths", options.program, "The program chatd_hot_paths")->required();
  app.add_option("--budgets", options.budgets, "perf/instructions.json")->required();
  app.add_flag("--update", options.update, "Write what is counted as the new budgets");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (!__builtin_cpu_supports("avx2")) return skip("the budgets are for a CPU with AVX2");
  return options.update ? update(options) : check(options);
}
