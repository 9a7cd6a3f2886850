#include "core/base/ip_address.h"

#include <algorithm>

namespace chatd {
namespace {

constexpr std::array<std::uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kGroups = 8;

std::optional<std::uint32_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// One to three decimal digits, at most 255, no leading zero (some parsers read 010 as eight).
std::optional<std::uint8_t> parse_octet(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool is_last = i + 1 == bytes.size();
    const std::size_t end = is_last ? text.size() : text.find('.');
    if (end == std::string_view::npos) return std::nullopt;
    const auto octet = parse_octet(text.substr(0, end));
    if (!octet) return std::nullopt;
    bytes[i] = *octet;
    if (!is_last) text.remove_prefix(end + 1);
  }
  return bytes;
}

// Groups of one side of a "::", or of a whole address that has none.
struct GroupList {
  std::array<std::uint16_t, kGroups> groups{};
  std::size_t count = 0;

  bool push(std::uint32_t group) {
    if (count == kGroups) return false;
    groups[count++] = static_cast<std::uint16_t>(group);
    return true;
  }
};

// One to four hexadecimal digits.
std::optional<std::uint32_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    const auto digit = hex_digit(c);
    if (!digit) return std::nullopt;
    value = value << 4 | *digit;
  }
  return value;
}

// Colon-separated groups; the last may be an IPv4 address when `may_end_in_v4`. An empty text has
// no groups.
std::optional<GroupList> parse_groups(std::string_view text, bool may_end_in_v4) {
  GroupList list;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    const bool is_last = end == text.size();
    if (is_last && may_end_in_v4 && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4) return std::nullopt;
      if (!list.push((*v4)[0] * 256u + (*v4)[1]) || !list.push((*v4)[2] * 256u + (*v4)[3])) {
        return std::nullopt;
      }
      return list;
    }
    const auto group = parse_group(part);
    if (!group || !list.push(*group)) return std::nullopt;
    if (is_last) return list;
    text.remove_prefix(end + 1);
    if (text.empty()) return std::nullopt;  // a lone colon at the end
  }
  return list;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, has_gap ? gap : text.size()), !has_gap);
  const auto tail = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view{}, true);
  if (!head || !tail) return std::nullopt;
  const std::size_t given = head->count + tail->count;
  // "::" stands for at least one group.
  if (has_gap ? given >= kGroups : given != kGroups) return std::nullopt;

  std::array<std::uint8_t, 16> bytes{};
  const auto put = [&bytes](std::size_t position, std::uint16_t group) {
    bytes[2 * position] = static_cast<std::uint8_t>(group >> 8);
    bytes[2 * position + 1] = static_cast<std::uint8_t>(group);
  };
  for (std::size_t i = 0; i < head->count; ++i) put(i, head->groups[i]);
  for (std::size_t i = 0; i < tail->count; ++i) put(kGroups - tail->count + i, tail->groups[i]);
  return bytes;
}

}  // namespace

IpAddress IpAddress::from_v4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes_.begin());
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin() + kV4Prefix.size());
  return address;
}

IpAddress IpAddress::from_v6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress address;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto v4 = parse_v4(text);
    if (!v4) return std::nullopt;
    return from_v4(*v4);
  }
  const auto v6 = parse_v6(text);
  if (!v6) return std::nullopt;
  return from_v6(*v6);
}

bool IpAddress::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes_.begin());
}

IpAddress IpAddress::rate_limit_key() const {
  if (is_v4()) return *this;
  IpAddress network = *this;
  std::fill(network.bytes_.begin() + 8, network.bytes_.end(), std::uint8_t{0});
  return network;
}

std::array<std::uint8_t, 4> IpAddress::v4_bytes() const {
  return {bytes_[12], bytes_[13], bytes_[14], bytes_[15]};
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_link_local() const {
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_unspecified() const {
  return *this == IpAddress{} || *this == from_v4({0, 0, 0, 0});
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return *this == from_v4({255, 255, 255, 255});
}

}  // namespace chatd
