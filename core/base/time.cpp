#include "core/base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace chatd {
namespace {

struct DurationUnit {
  std::string_view name;
  double ns;
};

constexpr std::array<DurationUnit, 9> kDurationUnits{{{"", 1e9},
                                                      {"ns", 1},
                                                      {"us", 1e3},
                                                      {"µs", 1e3},
                                                      {"ms", 1e6},
                                                      {"s", 1e9},
                                                      {"m", 60e9},
                                                      {"min", 60e9},
                                                      {"h", 3600e9}}};

// Three years; beyond that a double has no whole nanoseconds any more.
constexpr double kLongestNs = 1e17;
constexpr std::int64_t kMillisecondNs = 1'000'000;

}  // namespace

std::optional<double> parse_duration_ns(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  const auto* const unit =
      std::find_if(kDurationUnits.begin(), kDurationUnits.end(),
                   [name](const DurationUnit& each) { return each.name == name; });
  if (unit == kDurationUnits.end() || number * unit->ns > kLongestNs) return std::nullopt;
  return number * unit->ns;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  const auto ns = parse_duration_ns(text);
  if (!ns) return std::nullopt;
  const std::int64_t whole_ns = std::llround(*ns);  // 0.1 is a little more than a tenth
  if (whole_ns % kMillisecondNs != 0) return std::nullopt;
  return whole_ns / kMillisecondNs;
}

}  // namespace chatd
