#include "client/chat/duration.h"

#include <charconv>

namespace chatd::client {
namespace {

constexpr std::int64_t kYearMs = std::int64_t{366} * 24 * 3600 * 1000;

std::optional<std::int64_t> unit_ms(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s" || unit.empty()) return 1000;
  if (unit == "m") return 60 * 1000;
  if (unit == "h") return 3600 * 1000;
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const auto unit = unit_ms({rest, static_cast<std::size_t>(end - rest)});
  if (!unit || number <= 0 || number > kYearMs / *unit) return std::nullopt;
  return number * *unit;
}

}  // namespace chatd::client
