// Addresses that begin alike: 203.0.113.0/24, 2001:db8::/32, or one alone. Families are apart: an
// IPv6 range has no IPv4 address in it, whatever their common form (core/base/ip_address.h) looks
// like.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/ip_address.h"

namespace chatd {

// The address with all bits after the first `prefix_bits` (of 128) at zero.
IpAddress masked(const IpAddress& address, unsigned prefix_bits);

class AddressRange {
 public:
  // A shorter prefix is a mistake more likely than a wish.
  static constexpr unsigned kMinV4Prefix = 8;
  static constexpr unsigned kMinV6Prefix = 16;

  AddressRange() = default;  // the unspecified address alone

  // An address, or ADDRESS/PREFIX, of which the bits after the prefix do not count. An error is
  // what is wrong, without a full stop.
  static tl::expected<AddressRange, std::string> parse(std::string_view text);

  const IpAddress& network() const { return network_; }
  // Of the 128 bits that all addresses have here.
  unsigned prefix_bits() const { return prefix_bits_; }
  // As people write it: of 32 bits for IPv4.
  unsigned prefix() const;
  bool is_one_address() const { return prefix_bits_ == kAllBits; }

  // Loopback is only in a range that names it, for behind it stand the operator's own tools: ::/16
  // is no such name.
  bool contains(const IpAddress& address) const;

  bool operator==(const AddressRange&) const = default;

 private:
  static constexpr unsigned kAllBits = 128;
  static constexpr unsigned kV4Bits = 96;  // where the bits of an IPv4 address begin

  AddressRange(const IpAddress& network, unsigned prefix_bits)
      : network_(network), prefix_bits_(prefix_bits) {}

  IpAddress network_;
  unsigned prefix_bits_ = kAllBits;
};

}  // namespace chatd
