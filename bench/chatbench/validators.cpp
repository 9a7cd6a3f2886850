#include "bench/chatbench/validators.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cmath>
#include <iomanip>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace chatd::bench {
namespace {

using Units = std::map<std::string_view, double>;

// A number and one of the units. Nothing for anything else, and for what no run can last or hold.
std::optional<std::int64_t> parse_with_unit(std::string_view text, const Units& units) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const auto unit = units.find({rest, static_cast<std::size_t>(end - rest)});
  if (unit == units.end() || number * unit->second > 1e17) return std::nullopt;
  return std::llround(number * unit->second);
}

CLI::Validator with_unit(Units units, std::string form) {
  return CLI::Validator("").operation(
      [units = std::move(units), form = std::move(form)](std::string& text) -> std::string {
        const auto value = parse_with_unit(text, units);
        if (!value) return "'" + text + "' is not a " + form;
        text = std::to_string(*value);
        return {};
      });
}

}  // namespace

CLI::Validator duration_ns() {
  return CLI::Validator("").operation([](std::string& text) -> std::string {
    const auto ns = parse_duration_ns(text);
    if (!ns) {
      return "'" + text + "' is not a duration: write 500us, 20ms, 2s, 5m, 1h or plain seconds";
    }
    text = std::to_string(std::llround(*ns));
    return {};
  });
}

CLI::Validator size_bytes() {
  return with_unit({{"", 1}, {"K", 1024}, {"M", 1024 * 1024}, {"G", 1024 * 1024 * 1024}},
                   "size: write bytes, or 512K, 64M, 1G");
}

CLI::Validator whole_number(std::uint64_t lowest, std::uint64_t highest) {
  return CLI::Validator("").operation([lowest, highest](std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc{} && rest == end && value >= lowest && value <= highest) {
      text = std::to_string(value);  // "010" is ten
      return {};
    }
    return "'" + text + "' is not a whole number from " + std::to_string(lowest) + " to " +
           std::to_string(highest);
  });
}

CLI::Validator number(double lowest, double highest) {
  return CLI::Validator("").operation([lowest, highest](std::string& text) -> std::string {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    // What is not a number compares as false.
    if (error == std::errc{} && rest == end && value >= lowest && value <= highest) return {};
    std::ostringstream bounds;
    bounds << lowest << " to " << std::fixed << std::setprecision(0) << highest;
    return "'" + text + "' is not a number from " + bounds.str();
  });
}

CLI::Validator loopback_address() {
  return CLI::Validator("").operation([](std::string& text) -> std::string {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) == 1 &&
        ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET) {
      text = std::to_string(ntohl(address.s_addr));
      return {};
    }
    return "'" + text + "' is not an address in 127.0.0.0/8";
  });
}

CLI::Validator not_empty() {
  return CLI::Validator("").operation([](std::string& text) -> std::string {
    return text.empty() ? "is empty: name one, or leave the flag out" : "";
  });
}

CLI::Validator on_off() {
  return CLI::Validator("").operation([](std::string& text) -> std::string {
    if (text != "on" && text != "off") return "'" + text + "' is neither on nor off";
    text = text == "on" ? "true" : "false";
    return {};
  });
}

}  // namespace chatd::bench
