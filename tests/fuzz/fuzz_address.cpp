// Literal addresses, as the C library reads and writes them.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ip_address.h"
#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

std::optional<IpAddress> by_inet_pton(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string zero_terminated(text);
  V6 v6{};
  if (::inet_pton(AF_INET6, zero_terminated.c_str(), v6.data()) == 1) {
    return IpAddress::from_v6(v6);
  }
  V4 v4{};
  if (::inet_pton(AF_INET, zero_terminated.c_str(), v4.data()) == 1) return IpAddress::from_v4(v4);
  return std::nullopt;
}

std::string by_inet_ntop(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  require(::inet_ntop(family, bytes, text.data(), text.size()) != nullptr, "it can be written");
  return text.data();
}

void check_kind(const IpAddress& ip) {
  in6_addr six{};
  std::copy(ip.bytes().begin(), ip.bytes().end(), std::begin(six.s6_addr));
  const bool is_v4 = IN6_IS_ADDR_V4MAPPED(&six);
  require(ip.is_v4() == is_v4, "IPv4 is what is mapped");
  const V4 v4 = ip.v4_bytes();
  require(ip.is_loopback() == (is_v4 ? v4[0] == 127 : bool{IN6_IS_ADDR_LOOPBACK(&six)}),
          "loopback");
  require(ip.is_unspecified() == (is_v4 ? v4 == V4{} : bool{IN6_IS_ADDR_UNSPECIFIED(&six)}),
          "unspecified");
  require(ip.is_multicast() ==
              (is_v4 ? v4[0] >= 224 && v4[0] <= 239 : bool{IN6_IS_ADDR_MULTICAST(&six)}),
          "multicast");
  require(ip.is_broadcast() == (is_v4 && v4 == V4{255, 255, 255, 255}), "broadcast");
  require(ip.is_unicast() == !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
          "unicast is all the rest");
}

void check_counted(const IpAddress& ip) {
  const IpAddress counted = ip.rate_limit_key();
  require(counted.rate_limit_key() == counted, "what is counted as one counts as itself");
  if (ip.is_v4()) return require(counted == ip, "an IPv4 address counts as itself");
  V6 network = ip.bytes();
  std::fill(network.begin() + 8, network.end(), std::uint8_t{0});
  require(counted.bytes() == network, "an IPv6 address counts by its /64");
}

}  // namespace

void fuzz_address(std::string_view input) {
  const auto ip = IpAddress::parse(input);
  require(ip == by_inet_pton(input), "inet_pton reads the same");
  if (!ip) return;
  require(IpAddress::parse(by_inet_ntop(AF_INET6, ip->bytes().data())) == ip,
          "what inet_ntop writes reads as the same address");
  if (ip->is_v4()) {
    require(IpAddress::parse(by_inet_ntop(AF_INET, ip->v4_bytes().data())) == ip,
            "dotted decimal reads as the same address");
  }
  check_kind(*ip);
  check_counted(*ip);
}

}  // namespace chatd::fuzz
