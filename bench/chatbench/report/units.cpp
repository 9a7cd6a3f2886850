#include "bench/chatbench/report/units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>

#include "bench/chatbench/stats/histogram.h"

namespace chatd::bench {
namespace {

struct Unit {
  double size;
  std::string_view name;
};

constexpr double kLongest = 1e15;  // of what is written out; beyond, "1.00e+15"

std::string with_decimals(double value, int decimals) {
  std::array<char, 64> text{};
  const bool is_long = std::abs(value) >= kLongest;
  const int length =
      std::snprintf(text.data(), text.size(), is_long ? "%.*e" : "%.*f", decimals, value);
  return {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)};
}

std::string separate_thousands(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// Three significant digits, and all of those before the decimal point.
std::string significant(double value) {
  const double size = std::abs(value);
  if (size < 9.995) return with_decimals(value, 2);
  if (size < 99.95) return with_decimals(value, 1);
  if (size >= kLongest) return with_decimals(value, 2);
  return (value < 0 ? "-" : "") + separate_thousands(with_decimals(size, 0));
}

// The largest unit of which there is at least one, after rounding. Of the smallest, whole ones.
std::string with_unit(double value, std::span<const Unit> smallest_first) {
  if (!std::isfinite(value)) return std::string(kNotAvailable);
  const Unit* unit = &smallest_first[0];
  for (const Unit& next : smallest_first) {
    if (std::abs(value) >= next.size * 0.9995) unit = &next;
  }
  const double scaled = value / unit->size;
  const bool is_whole = unit == &smallest_first[0] && scaled == std::floor(scaled);
  return (is_whole ? with_decimals(scaled, 0) : significant(scaled)) + " " +
         std::string(unit->name);
}

}  // namespace

std::string format_duration_ns(double ns) {
  static constexpr std::array<Unit, 4> kUnits = {{{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}}};
  if (ns >= static_cast<double>(kNever)) return "never";
  return with_unit(ns, kUnits);
}

std::string format_count(std::uint64_t n) {
  return separate_thousands(std::to_string(n));
}

std::string format_per_second(double rate) {
  if (!std::isfinite(rate)) return std::string(kNotAvailable);
  return significant(rate) + "/s";
}

std::string format_bytes(double bytes) {
  static constexpr std::array<Unit, 4> kUnits = {
      {{1, "B"}, {1024, "KiB"}, {1024.0 * 1024, "MiB"}, {1024.0 * 1024 * 1024, "GiB"}}};
  return with_unit(bytes, kUnits);
}

std::string format_percent(double share) {
  if (!std::isfinite(share)) return std::string(kNotAvailable);
  // A single loss in a million must not read as none.
  if (share != 0 && std::abs(share) < 0.00005) return with_decimals(share * 100, 6) + " %";
  return significant(share * 100) + " %";
}

std::string format_seconds(double seconds) {
  return format_duration_ns(seconds * 1e9);
}

std::size_t width_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0u) != 0x80u;
  }));
}

std::string pad_right(std::string_view text, std::size_t width) {
  std::string padded(text);
  padded.append(width - std::min(width, width_of(text)), ' ');
  return padded;
}

std::string pad_left(std::string_view text, std::size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ').append(text);
}

}  // namespace chatd::bench
