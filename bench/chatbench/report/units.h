// Figures as people read them: three significant digits (two decimals below 1), a unit that fits,
// thousands separated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::bench {

// What stands where nothing was measured.
inline constexpr std::string_view kNotAvailable = "n/a";

// "812 ns", "5.12 µs", "61.0 ms", "1.20 s"; "never" for kNever (stats/histogram.h) and beyond.
std::string format_duration_ns(double ns);
std::string format_count(std::uint64_t n);   // "1,234,567"
std::string format_per_second(double rate);  // "18,000/s", "12.5/s"
std::string format_bytes(double bytes);      // "512 B", "2.30 MiB"
std::string format_percent(double share);    // 0.031: "3.10 %"
std::string format_seconds(double seconds);  // "2.00 s"

// `format` of the value, or n/a.
template <class Value, class Format>
std::string format_or_na(const std::optional<Value>& value, Format format) {
  return value ? format(*value) : std::string(kNotAvailable);
}

// Columns on a terminal that text takes, when each character takes one.
std::size_t width_of(std::string_view utf8);
std::string pad_right(std::string_view text, std::size_t width);
std::string pad_left(std::string_view text, std::size_t width);

}  // namespace chatd::bench
