#include "bench/chatbench/engine/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "bench/chatbench/probe/system.h"
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

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// As much of the line as stays in one row: a second one could not be written over.
std::string_view fit(std::string_view utf8, std::size_t columns) {
  std::size_t bytes = 0;
  for (std::size_t used = 0; bytes < utf8.size(); ++bytes) {
    const bool begins_character = (static_cast<unsigned char>(utf8[bytes]) & 0xc0) != 0x80;
    if (begins_character && ++used >= columns) break;
  }
  return utf8.substr(0, bytes);
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
  std::string line = std::to_string(std::lround(figures.at_s)) + "/" +
                     std::to_string(std::lround(of_s)) + " s: " + rate(figures.sent) + " sent, " +
                     rate(figures.delivered) + " delivered, p50 " + duration(figures.p50_ns) +
                     ", p99 " + duration(figures.p99_ns);
  if (figures.server_cpu_share) line += ", server " + format_percent(*figures.server_cpu_share);
  if (missing > figures.delivered) line += ", behind by " + format_count(missing);
  show(line);
}

void Progress::clear() {
  if (!is_shown_) return;
  std::fputs(kClearLine.data(), stderr);
  is_shown_ = false;
}

void Progress::show(const std::string& line) {
  if (!is_terminal_) return;
  const std::string_view shown = fit(line, terminal_columns());
  std::fprintf(stderr, "%s%.*s", kClearLine.data(), static_cast<int>(shown.size()), shown.data());
  std::fflush(stderr);
  is_shown_ = true;
  shown_ns_ = now_ns();
}

}  // namespace chatd::bench
