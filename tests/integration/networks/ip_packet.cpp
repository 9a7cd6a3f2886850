#include "tests/integration/networks/ip_packet.h"

#include <arpa/inet.h>

#include <array>

#include "tests/support/die.h"

namespace chatd::test {
namespace {

constexpr std::size_t kHeaderBytes6 = 40;
constexpr std::size_t kFragmentHeaderBytes = 8;
constexpr std::uint8_t kFragmentProtocol = 44;
// Within an IPv4 header.
constexpr std::size_t kChecksumAt = 10;
constexpr std::size_t kSourceAt = 12;
constexpr std::size_t kDestinationAt = 16;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

void set_number(std::string& bytes, std::size_t at, std::uint16_t number) {
  bytes[at] = static_cast<char>(number >> 8);
  bytes[at + 1] = static_cast<char>(number & 0xff);
}

std::size_t header_bytes4(std::string_view packet) {
  return std::size_t{4} * (byte_at(packet, 0) & 0x0f);
}

void read_ports(std::string_view packet, std::size_t at, PacketAddresses& addresses) {
  const bool has_ports = addresses.protocol == kTcpProtocol || addresses.protocol == kUdpProtocol;
  if (!has_ports || packet.size() < at + 4) return;
  addresses.source_port = number_at(packet, at);
  addresses.destination_port = number_at(packet, at + 2);
}

std::optional<PacketAddresses> addresses_of4(std::string_view packet) {
  const std::size_t header_bytes = header_bytes4(packet);
  if (header_bytes < 20 || packet.size() < header_bytes) return std::nullopt;
  PacketAddresses addresses{.protocol = byte_at(packet, 9),
                            .source = std::string(packet.substr(kSourceAt, 4)),
                            .destination = std::string(packet.substr(kDestinationAt, 4))};
  const bool is_first_fragment = (number_at(packet, 6) & 0x1fff) == 0;
  if (is_first_fragment) read_ports(packet, header_bytes, addresses);
  return addresses;
}

std::optional<PacketAddresses> addresses_of6(std::string_view packet) {
  if (packet.size() < kHeaderBytes6) return std::nullopt;
  PacketAddresses addresses{.protocol = byte_at(packet, 6),
                            .source = std::string(packet.substr(8, 16)),
                            .destination = std::string(packet.substr(24, 16))};
  std::size_t at = kHeaderBytes6;
  if (addresses.protocol == kFragmentProtocol) {
    if (packet.size() < at + kFragmentHeaderBytes) return std::nullopt;
    addresses.protocol = byte_at(packet, at);
    const bool is_first_fragment = (number_at(packet, at + 2) & 0xfff8) == 0;
    at += kFragmentHeaderBytes;
    if (!is_first_fragment) return addresses;
  }
  read_ports(packet, at, addresses);
  return addresses;
}

// The sum over a TCP or UDP packet covers the addresses as well (the pseudo header).
std::uint16_t transport_checksum(std::string_view packet) {
  const std::string_view transport = packet.substr(header_bytes4(packet));
  std::uint32_t sum = add_to_checksum(0, packet.substr(kSourceAt, 8));
  sum += byte_at(packet, 9) + static_cast<std::uint32_t>(transport.size());
  return finish_checksum(add_to_checksum(sum, transport));
}

void set_checksums(std::string& packet) {
  set_number(packet, kChecksumAt, 0);
  const std::string_view header = std::string_view(packet).substr(0, header_bytes4(packet));
  set_number(packet, kChecksumAt, finish_checksum(add_to_checksum(0, header)));
  const bool is_udp = byte_at(packet, 9) == kUdpProtocol;
  const std::size_t at = header_bytes4(packet) + (is_udp ? 6 : 16);
  set_number(packet, at, 0);
  const std::uint16_t checksum = transport_checksum(packet);
  // In UDP, 0 means that there is none.
  set_number(packet, at, is_udp && checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

}  // namespace

std::optional<PacketAddresses> addresses_of(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  const unsigned version = byte_at(packet, 0) >> 4;
  if (version == 4) return addresses_of4(packet);
  if (version == 6) return addresses_of6(packet);
  return std::nullopt;
}

bool is_fragment(std::string_view packet) {
  if (packet.empty()) return false;
  if (byte_at(packet, 0) >> 4 == 6) {
    return packet.size() >= kHeaderBytes6 && byte_at(packet, 6) == kFragmentProtocol;
  }
  constexpr std::uint16_t kMoreOrOffset = 0x3fff;
  return packet.size() >= 20 && (number_at(packet, 6) & kMoreOrOffset) != 0;
}

void set_source(std::string& packet, std::string_view address, std::uint16_t port) {
  packet.replace(kSourceAt, 4, address);
  set_number(packet, header_bytes4(packet), port);
  set_checksums(packet);
}

void set_destination(std::string& packet, std::string_view address, std::uint16_t port) {
  packet.replace(kDestinationAt, 4, address);
  set_number(packet, header_bytes4(packet) + 2, port);
  set_checksums(packet);
}

std::uint32_t add_to_checksum(std::uint32_t start, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t low = i + 1 < bytes.size() ? byte_at(bytes, i + 1) : 0;
    start += (std::uint32_t{byte_at(bytes, i)} << 8) + low;
  }
  return start;
}

std::uint16_t finish_checksum(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string raw_address(const std::string& text) {
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  die("not a literal address");
}

}  // namespace chatd::test
