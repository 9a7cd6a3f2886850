// An IP address in canonical form: 16 bytes, IPv4 as ::ffff:a.b.c.d. So `::ffff:1.2.3.4` equals
// `1.2.3.4`, and comparing two addresses is comparing bytes. Text forms: RFC 4291 section 2.2
// (IPv6), dotted decimal (IPv4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd {

class IpAddress {
 public:
  IpAddress() = default;  // unspecified, ::

  static IpAddress from_v4(const std::array<std::uint8_t, 4>& bytes);
  static IpAddress from_v6(const std::array<std::uint8_t, 16>& bytes);
  // A literal address; nothing for names, zone indices (fe80::1%eth0) and forms such as 127.1 or
  // 010.0.0.1.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  bool is_loopback() const;
  bool is_link_local() const;   // fe80::/10: the same on each interface
  bool is_unspecified() const;  // 0.0.0.0 or ::
  bool is_multicast() const;
  bool is_broadcast() const;  // 255.255.255.255
  // Whether one host may be spoken to there.
  bool is_unicast() const { return !is_unspecified() && !is_multicast() && !is_broadcast(); }

  // What limits per address count it as: itself, or the /64 of an IPv6 address, for a host has that
  // many.
  IpAddress rate_limit_key() const;

  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  // The same as a string, for hashes and keys.
  std::string_view key() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  std::array<std::uint8_t, 4> v4_bytes() const;

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace chatd
