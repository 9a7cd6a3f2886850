#include "bench/chatbench/engine/progress.h"

#include <unistd.h>

#include <cstdio>

#include "bench/chatbench/engine/clock.h"
#include "bench/chatbench/report/units.h"

namespace chatd::bench {
namespace {

constexpr std::int64_t kShortestIntervalNs = 100'000'000;
// To the line's begin, and what stood there away.
constexpr std::string_view kClearLine = "\r\x1b[K";

std::string duration(const std::optional<std::uint64_t>& ns) {
  return format_or_na(
      ns, [](std::uint64_t value) { return format_duration_ns(static_cast<double>(value)); });
}

}  // namespace

Progress::Progress() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::joined(std::uint64_t members, std::uint64_t of) {
  const std::int64_t now = now_ns();
  if (members != of && now - shown_ns_ < kShortestIntervalNs) return;
  show("joining: " + format_count(members) + " of " + format_count(of) + " members are in");
}

void Progress::waiting(std::string_view phase) {
  show(std::string(phase));
}

void Progress::second(const SecondFigures& figures, double interval_s, double of_s,
                      std::uint64_t missing) {
  const auto rate = [interval_s](std::uint64_t count) {
    return format_per_second(static_cast<double>(count) / interval_s);
  };
  std::string line = "measuring: " + std::to_string(static_cast<int>(figures.at_s + 0.5)) + " of " +
                     std::to_string(static_cast<int>(of_s + 0.5)) + " s, " + rate(figures.sent) +
                     " sent, " + rate(figures.delivered) + " delivered, p50 " +
                     duration(figures.p50_ns) + ", p99 " + duration(figures.p99_ns) + ", " +
                     format_count(missing) + " under way";
  if (figures.server_cpu_share) {
    line += ", server CPU " + format_percent(*figures.server_cpu_share);
  }
  show(line);
}

void Progress::clear() {
  if (!is_shown_) return;
  std::fputs(kClearLine.data(), stderr);
  is_shown_ = false;
}

void Progress::show(const std::string& line) {
  if (!is_terminal_) return;
  std::fprintf(stderr, "%s%s", kClearLine.data(), line.c_str());
  std::fflush(stderr);
  is_shown_ = true;
  shown_ns_ = now_ns();
}

}  // namespace chatd::bench
