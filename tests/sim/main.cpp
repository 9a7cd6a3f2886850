// chatd_sim: runs the simulator from the command line (./dev sim).
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "tests/sim/simulation.h"

namespace {

using chatd::sim::Coverage;
using chatd::sim::Simulation;

volatile std::sig_atomic_t is_interrupted = 0;

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t from = 1;
  std::uint64_t steps = 20'000;
  std::uint64_t seeds = 0;  // 0: without end
  double minutes = 0;       // likewise
  bool trace = false;
  bool coverage = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print_rate(std::uint64_t seeds, std::uint64_t events, double seconds) {
  std::printf("%llu seed%s, %llu events in %.2f s: %.2f million events per second\n",
              static_cast<unsigned long long>(seeds), seeds == 1 ? "" : "s",
              static_cast<unsigned long long>(events), seconds,
              static_cast<double>(events) / seconds / 1e6);
}

// A crash inside the core has no trace to show, but the seed is known.
char crash_note[128];
std::size_t crash_note_bytes = 0;

void on_crash(int signal_number) {
  std::fwrite(crash_note, 1, crash_note_bytes, stderr);
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

int run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t first = options.seed.value_or(options.from);
  const std::uint64_t count = options.seed ? 1 : options.seeds;
  const double limit_s = options.seed ? 0 : options.minutes * 60;
  constexpr std::uint64_t kSeedsPerReport = 200;
  Coverage seen;
  std::uint64_t events = 0;
  std::uint64_t seeds = 0;
  std::uint64_t hash = 0;
  while ((count == 0 || seeds < count) && (limit_s <= 0 || seconds_since(start) < limit_s) &&
         is_interrupted == 0) {
    const std::uint64_t seed = first + seeds;
    crash_note_bytes = static_cast<std::size_t>(std::snprintf(
        crash_note, sizeof crash_note,
        "chatd_sim crashed: ./dev sim --seed %llu --steps %llu --trace\n",
        static_cast<unsigned long long>(seed), static_cast<unsigned long long>(options.steps)));
    Simulation simulation(seed, options.trace);
    const bool ok = simulation.run(options.steps);
    ++seeds;
    events += simulation.events();
    hash = simulation.trace_hash() ^ (hash << 1 | hash >> 63);
    seen.add(simulation.seen());
    if (!ok) {
      std::printf("%s", simulation.report(options.steps).c_str());
      return EXIT_FAILURE;
    }
    if (seeds % kSeedsPerReport == 0) {
      print_rate(seeds, events, seconds_since(start));
      std::fflush(stdout);
    }
  }
  if (options.coverage) std::printf("%s", seen.table().c_str());
  print_rate(seeds, events, seconds_since(start));
  std::printf("trace hash: %016llx\n", static_cast<unsigned long long>(hash));
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "chatd's deterministic simulator: the relay and the client library in a made-up "
      "world, checked after every step. Without --seed it goes on through seeds 1, 2, … "
      "until Ctrl-C.",
      "chatd_sim"};
  auto* const seed = app.add_option("--seed", options.seed, "only this one");
  app.add_option("--from", options.from, "the first one: several can run side by side")
      ->capture_default_str()
      ->excludes(seed);
  app.add_option("--steps", options.steps, "events per seed, before it comes to rest")
      ->capture_default_str();
  app.add_option("--seeds", options.seeds, "stop after so many seeds")->excludes(seed);
  app.add_option("--minutes", options.minutes, "stop after so long")->excludes(seed);
  app.add_flag("--trace", options.trace, "print each step");
  app.add_flag("--coverage", options.coverage, "print which faults and drops were seen");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGINT, [](int) { is_interrupted = 1; });
  std::signal(SIGABRT, on_crash);
  std::signal(SIGSEGV, on_crash);
  return run(options);
}
