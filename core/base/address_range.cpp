#include "core/base/address_range.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>

namespace chatd {
namespace {

std::optional<unsigned> number_in(std::string_view digits) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

IpAddress masked(const IpAddress& address, unsigned prefix_bits) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = prefix_bits <= 8 * i ? 0 : prefix_bits - 8 * i;
    if (kept < 8) bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  return IpAddress::from_v6(bytes);
}

tl::expected<AddressRange, std::string> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view literal = text.substr(0, slash);
  const auto address = IpAddress::parse(literal);
  if (!address) {
    return tl::unexpected<std::string>(
        "this is no address: write it as 203.0.113.7 or 2001:db8::7, or with a prefix as in "
        "203.0.113.0/24");
  }
  if (slash == std::string_view::npos) return AddressRange(*address, kAllBits);
  const bool is_v4 = address->is_v4();
  // ::ffff:203.0.113.0/120 counts all bits.
  const bool counts_all_bits = literal.find(':') != std::string_view::npos;
  const auto given = number_in(text.substr(slash + 1));
  const unsigned offset = is_v4 && !counts_all_bits ? kV4Bits : 0;
  if (!given || *given > kAllBits - offset) {
    return tl::unexpected("the prefix is not a number up to " + std::to_string(kAllBits - offset));
  }
  const unsigned bits = *given + offset;
  if (bits < (is_v4 ? kV4Bits + kMinV4Prefix : kMinV6Prefix)) {
    return tl::unexpected("the prefix is too short: these are too many addresses at once; write /" +
                          std::to_string((is_v4 ? kV4Bits + kMinV4Prefix : kMinV6Prefix) - offset) +
                          " or longer");
  }
  return AddressRange(masked(*address, bits), bits);
}

unsigned AddressRange::prefix() const {
  return network_.is_v4() ? prefix_bits_ - kV4Bits : prefix_bits_;
}

bool AddressRange::contains(const IpAddress& address) const {
  return address.is_v4() == network_.is_v4() && masked(address, prefix_bits_) == network_ &&
         (!address.is_loopback() || network_.is_loopback());
}

}  // namespace chatd
