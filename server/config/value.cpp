#include "server/config/value.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <system_error>

#include "core/base/shard_map.h"
#include "core/base/time.h"
#include "server/bans/ban_text.h"
#include "server/config/admin_address.h"
#include "server/config/options.h"
#include "server/os/processors.h"

namespace chatd::config {
namespace {

using Kind = ValueType::Kind;
using Read = tl::expected<Value, std::string>;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Upper or lower case; k is 1024 however it is written.
constexpr Unit kSizeUnits[] = {
    {"", 1},           {"b", 1},         {"k", 1u << 10},  {"kb", 1u << 10}, {"ki", 1u << 10},
    {"kib", 1u << 10}, {"m", 1u << 20},  {"mb", 1u << 20}, {"mi", 1u << 20}, {"mib", 1u << 20},
    {"g", 1u << 30},   {"gb", 1u << 30}, {"gi", 1u << 30}, {"gib", 1u << 30}};

constexpr std::int64_t kMaxDurationMs = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint64_t> read_digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "4 MiB" and "4MiB": digits, blanks, a unit.
std::optional<std::uint64_t> read_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = read_digits(text.substr(0, digits));
  text.remove_prefix(digits);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto* const unit = std::find_if(std::begin(kSizeUnits), std::end(kSizeUnits),
                                        [&](const Unit& u) { return u.name == text; });
  if (!number || unit == std::end(kSizeUnits)) return std::nullopt;
  if (*number > std::numeric_limits<std::uint64_t>::max() / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// A mistake is shown, not a file.
constexpr std::size_t kMaxQuotedBytes = 80;

tl::unexpected<std::string> wrong(std::string_view text, const std::string& what) {
  const std::string shown = printable(text.substr(0, kMaxQuotedBytes));
  return tl::unexpected("'" + shown + (text.size() > kMaxQuotedBytes ? "..." : "") + "' is " +
                        what);
}

Read number_value(const ValueType& type, std::optional<std::uint64_t> number, std::string_view text,
                  const std::string& what) {
  if (!number || *number < type.lowest || *number > type.highest) return wrong(text, what);
  return Value{write_number(type, *number), *number};
}

Read read_text(std::string_view text) {
  const bool is_printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || !is_printable) return wrong(text, "empty, or has more than printable ASCII");
  return Value{std::string(text)};
}

Read read_duration(const ValueType& type, std::string_view text) {
  const auto ms = parse_duration_ms(text);
  if (!ms || *ms == 0 || *ms > kMaxDurationMs) {
    return wrong(
        text,
        "not a duration: write a number and a unit, as in 500ms, 300s, 5min or 1h (49 days "
        "at most)");
  }
  const auto number = static_cast<std::uint64_t>(*ms);
  return Value{write_number(type, number), number};
}

Read read_word(const ValueType& type, std::string_view text) {
  const auto found = std::find(type.words.begin(), type.words.end(), text);
  if (found == type.words.end()) return wrong(text, "not one of " + describe_range(type));
  return Value{*found, static_cast<std::uint64_t>(found - type.words.begin())};
}

Read read_shards(std::string_view text) {
  if (text == "auto") {
    return Value{"auto", std::min<std::uint64_t>(usable_threads(), kMaxShards)};
  }
  const auto number = read_digits(text);
  if (!number || *number < 1 || *number > kMaxShards) {
    return wrong(text, "neither auto nor a number from 1 to " + std::to_string(kMaxShards));
  }
  return Value{std::to_string(*number), *number};
}

Read read_tls_port(std::string_view text) {
  if (text == "auto") return Value{"auto", kAutoTlsPort};
  if (text == "off") return Value{"off", kNoTlsPort};
  const auto number = read_digits(text);
  if (!number || *number > 65'535) {
    return wrong(text, "neither auto nor off nor a number from 0 to 65535");
  }
  return Value{std::to_string(*number), *number};
}

std::string join(const std::vector<std::string>& words, std::string_view last_comma = ", ") {
  std::string all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) all += i + 1 == words.size() ? last_comma : ", ";
    all += words[i];
  }
  return all;
}

Read list_value(const tl::expected<std::vector<std::string>, std::string>& elements) {
  if (!elements) return tl::unexpected(printable(elements.error()));
  return Value{elements->empty() ? kNoBans : join(*elements)};
}

Read read_addresses(std::string_view text) {
  return list_value(parse_address_ranges(text).map([](const std::vector<AddressRange>& ranges) {
    std::vector<std::string> texts;
    texts.reserve(ranges.size());
    for (const AddressRange& range : ranges) texts.push_back(to_text(range));
    return texts;
  }));
}

Read read_admin(std::string_view text) {
  if (text != kNoAdmin) {
    const auto address = parse_admin_address(text);
    if (!address) return tl::unexpected(address.error());
  }
  return read_text(text);
}

std::string write_size(std::uint64_t bytes) {
  constexpr Unit kWritten[] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}};
  for (const Unit& unit : kWritten) {
    if (bytes != 0 && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

}  // namespace

Read read_value(const ValueType& type, std::string_view text) {
  switch (type.kind) {
    case Kind::kText:
      return read_text(text);
    case Kind::kNumber:
      return number_value(type, read_digits(text), text,
                          "not a number from " + describe_range(type));
    case Kind::kSize:
      return number_value(type, read_size(lower_case(text)), text,
                          "not a size from " + describe_range(type) +
                              ": write a number and a unit, as in 512KiB or 4MiB");
    case Kind::kDuration:
      return read_duration(type, text);
    case Kind::kChoice:
    case Kind::kSwitch:
    case Kind::kBool:
      return read_word(type, text);
    case Kind::kShards:
      return read_shards(text);
    case Kind::kAdmin:
      return read_admin(text);
    case Kind::kAddresses:
      return read_addresses(text);
    case Kind::kNames:
      return list_value(parse_banned_names(text));
    case Kind::kTlsPort:
      return read_tls_port(text);
  }
  return wrong(text, "of no known type");
}

std::string write_number(const ValueType& type, std::uint64_t number) {
  switch (type.kind) {
    case Kind::kSize:
      return write_size(number);
    case Kind::kDuration:
      return number % 1000 == 0 ? std::to_string(number / 1000) + "s"
                                : std::to_string(number) + "ms";
    case Kind::kSwitch:
    case Kind::kBool:
      return type.words[number];
    case Kind::kTlsPort:
      if (number == kNoTlsPort) return "off";
      return number == kAutoTlsPort ? "auto" : std::to_string(number);
    default:
      return std::to_string(number);
  }
}

std::string describe_range(const ValueType& type) {
  switch (type.kind) {
    case Kind::kText:
      return "text";
    case Kind::kNumber:
    case Kind::kSize:
      return write_number(type, type.lowest) + " to " + write_number(type, type.highest);
    case Kind::kDuration:
      return "1ms to 49 days; units ms, s, min, h";
    case Kind::kShards:
      return "auto, or 1 to " + std::to_string(kMaxShards);
    case Kind::kAdmin:
      return "off, 127.0.0.1:PORT, [::1]:PORT or unix:/PATH";
    case Kind::kTlsPort:
      return "auto, off, or 0 to 65535";
    case Kind::kAddresses:
      return "none, or ADDRESS and ADDRESS/PREFIX, separated by commas";
    case Kind::kNames:
      return "none, or names, separated by commas";
    default:
      return join(type.words, " or ");
  }
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  constexpr std::string_view kComma = ", ";
  while (text != kNoBans && !text.empty()) {
    const std::size_t comma = std::min(text.find(kComma), text.size());
    elements.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + kComma.size(), text.size()));
  }
  return elements;
}

std::string printable(std::string_view text) {
  std::string safe(text);
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

}  // namespace chatd::config
