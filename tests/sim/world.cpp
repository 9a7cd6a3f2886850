#include "tests/sim/world.h"

#include <array>
#include <cstdio>

namespace chatd::sim {
namespace {

constexpr std::uint16_t kServerPort = 9000;

std::string hex_digits(std::uint8_t byte) {
  std::array<char, 4> text{};
  std::snprintf(text.data(), text.size(), "%x", byte);
  return text.data();
}

// Three of four have IPv4 addresses. Of IPv6 hosts two each share a /64; a few are on the server's
// own machine.
Host host_number(std::uint32_t number) {
  const auto low = static_cast<std::uint8_t>(number);
  Host host;
  host.group = number;
  constexpr std::array<std::uint32_t, 4> kPaths{65'507, 8972, 1472, 1252};
  host.path_bytes = kPaths[number / 2 % kPaths.size()];
  if (number % 8 == 6 || number % 8 == 7) {
    std::array<std::uint8_t, 16> ip{0x20, 0x01, 0x0d, 0xb8};
    ip[7] = static_cast<std::uint8_t>(number / 8);
    ip[15] = static_cast<std::uint8_t>(1 + number % 8);
    host.ip = IpAddress::from_v6(ip);
    host.ip_text = "2001:db8:0:" + hex_digits(ip[7]) + "::" + hex_digits(ip[15]);
    host.group = number | 1;
  } else if (number % 8 == 5) {
    host.ip = IpAddress::from_v4({127, 0, 1, low});
    host.ip_text = "127.0.1." + std::to_string(low);
    host.is_loopback = true;
  } else {
    host.ip = IpAddress::from_v4({192, 0, 2, low});
    host.ip_text = "192.0.2." + std::to_string(low);
  }
  return host;
}

}  // namespace

World::World(std::uint64_t seed, bool print_trace)
    : scenario(seed),
      dice(seed),
      trace(print_trace),
      delays(scenario, scenario.rooms),
      limits(scenario.limits) {
  for (std::uint32_t i = 0; i < scenario.hosts; ++i) {
    hosts.push_back(host_number(i));
  }
  for (std::uint32_t i = 0; i < scenario.rooms; ++i) {
    std::string name = "room" + std::to_string(i);
    if (i % 4 == 2)
      name +=
          "-k\xc3\xbc"
          "che";
    if (i % 4 == 3 || scenario.has_long_lists) name.resize(kMaxNameBytes, 'x');
    const bool is_alike = i % 8 == 5;
    if (is_alike) name = "ROOM" + room_names.back().substr(4);
    room_looks.push_back(is_alike ? i - 1 : i);
    room_names.push_back(std::move(name));
  }
  for (std::uint32_t i = 0; i < scenario.clients; ++i) {
    std::string name = "c" + std::to_string(i);
    if (i % 7 == 3) name += "-\xc3\xa4";
    if (i % 31 == 7) name.resize(120, 'y');
    const bool is_alike = i % 7 == 2;
    if (is_alike) name = "C" + client_names.back().substr(1) + "\u200b";
    client_looks.push_back(is_alike ? i - 1 : i);
    client_names.push_back(std::move(name));
  }
  server_sockets.addresses = {IpAddress::from_v4({192, 0, 2, 250}),
                              IpAddress::from_v4({127, 0, 0, 1})};
  server_sockets.udp_port = kServerPort;
}

}  // namespace chatd::sim
