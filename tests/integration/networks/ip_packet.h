// An IP packet as bytes: where it comes from and goes to, and rewriting that, checksums included,
// as a router with NAT does. Addresses are raw: 4 bytes or 16.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::test {

inline constexpr std::uint8_t kTcpProtocol = 6;
inline constexpr std::uint8_t kUdpProtocol = 17;

struct PacketAddresses {
  std::uint8_t protocol = 0;
  std::string source;
  std::string destination;
  // Of TCP and UDP; 0 otherwise, and in all fragments but the first.
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

// Nothing when it is no IP packet. IPv6 without extension headers but the fragment's.
std::optional<PacketAddresses> addresses_of(std::string_view packet);

// Whether it is a part of one that was cut on its way.
bool is_fragment(std::string_view packet);

// In an unfragmented IPv4 packet of TCP or UDP.
void set_source(std::string& packet, std::string_view address, std::uint16_t port);
void set_destination(std::string& packet, std::string_view address, std::uint16_t port);

// The sum of RFC 1071 over `bytes`, added to `start`: not yet folded or inverted.
std::uint32_t add_to_checksum(std::uint32_t start, std::string_view bytes);
std::uint16_t finish_checksum(std::uint32_t sum);

// "10.9.0.1" or "fd09::1" as raw bytes. Ends the test when it is neither.
std::string raw_address(const std::string& text);

}  // namespace chatd::test
