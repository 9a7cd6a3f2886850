// The network between clients and the server, and the ports that clients have open. What it does to
// a datagram on its way (lose it, double it, delay it, let it be overtaken) is decided when it is
// sent, and what is at the other end when it arrives.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/endpoint.h"
#include "tests/sim/world.h"

namespace chatd::sim {

inline constexpr std::uint32_t kNoClient = 0xffff'ffff;
inline constexpr std::uint32_t kNoPort = 0xffff'ffff;

// A client's UDP socket. Two clients may share one: a program with two members.
struct Port {
  std::uint32_t host = 0;
  std::array<std::uint32_t, 2> clients{kNoClient, kNoClient};
  bool is_open() const { return clients[0] != kNoClient || clients[1] != kNoClient; }
};

class Network {
 public:
  explicit Network(World& world) : world_(world), ports_(kPorts) {}

  // Ports are numbered from 0; each number is used again only after all others.
  std::uint32_t open_port(std::uint32_t host, std::uint32_t client);
  // False when somebody else is there, too, already.
  bool share_port(std::uint32_t port, std::uint32_t client);
  void close_port(std::uint32_t port, std::uint32_t client);
  const Port& port(std::uint32_t number) const { return ports_[number]; }
  Endpoint endpoint(std::uint32_t port) const {
    return {world_.hosts[ports_[port].host].ip, static_cast<std::uint16_t>(kFirstPort + port)};
  }
  // The port that was last opened under this endpoint, whether it is open still or not.
  std::optional<std::uint32_t> find_port(const Endpoint& endpoint) const;

  // Send what the caller holds; the caller's hold stays.
  void send_to_server(std::uint32_t from_host, std::uint32_t packet);
  void send_to_client(std::uint32_t port, std::uint32_t packet);
  // "Nobody listens", about a port; about the server, to a port.
  void refuse_to_server(std::uint32_t port);
  void refuse_to_client(std::uint32_t port);

  // How it is doing; each counts the faults that are on.
  std::uint32_t losing = 0;
  std::uint32_t doubling = 0;
  std::uint32_t reordering = 0;
  std::uint32_t delaying = 0;
  std::uint32_t losing_icmp = 0;
  std::uint32_t sockets_full = 0;  // of the server

 private:
  static constexpr std::uint32_t kPorts = 4096;
  static constexpr std::uint16_t kFirstPort = 20'000;

  void carry(std::uint32_t host, std::uint64_t& last_us, EventKind kind, std::uint32_t packet,
             std::uint32_t where);

  World& world_;
  std::vector<Port> ports_;
  std::uint32_t next_port_ = 0;
};

}  // namespace chatd::sim
