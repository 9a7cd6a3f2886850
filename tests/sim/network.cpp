#include "tests/sim/network.h"

#include <algorithm>

namespace chatd::sim {
namespace {

constexpr std::uint64_t kPathUs = 200;
constexpr std::uint64_t kJitterUs = 63;          // a power of two less one
constexpr std::uint64_t kReorderingUs = 16'383;  // likewise
constexpr std::uint64_t kDelayUs = 50'000;
constexpr std::uint64_t kDoublingOf1024 = 150;

}  // namespace

std::uint32_t Network::open_port(std::uint32_t host, std::uint32_t client) {
  while (ports_[next_port_ % kPorts].is_open()) ++next_port_;
  const std::uint32_t number = next_port_++ % kPorts;
  ports_[number] = {.host = host, .clients = {client, kNoClient}};
  return number;
}

bool Network::share_port(std::uint32_t number, std::uint32_t client) {
  Port& port = ports_[number];
  if (port.clients[0] == kNoClient || port.clients[1] != kNoClient) return false;
  port.clients[1] = client;
  world_.seen.saw(Sight::kSharedSocket);
  return true;
}

void Network::close_port(std::uint32_t number, std::uint32_t client) {
  auto& clients = ports_[number].clients;
  if (clients[1] == client) {
    clients[1] = kNoClient;
  } else if (clients[0] == client) {
    clients[0] = clients[1];
    clients[1] = kNoClient;
  }
}

std::optional<std::uint32_t> Network::find_port(const Endpoint& endpoint) const {
  if (endpoint.port < kFirstPort || endpoint.port >= kFirstPort + kPorts) return std::nullopt;
  const std::uint32_t number = endpoint.port - kFirstPort;
  if (world_.hosts[ports_[number].host].ip != endpoint.ip) return std::nullopt;
  return number;
}

void Network::send_to_server(std::uint32_t from_host, std::uint32_t packet) {
  carry(from_host, world_.hosts[from_host].last_to_server_us, EventKind::kDatagramAtServer, packet,
        0);
}

void Network::send_to_client(std::uint32_t port, std::uint32_t packet) {
  const std::uint32_t host = ports_[port].host;
  carry(host, world_.hosts[host].last_to_client_us, EventKind::kDatagramAtClient, packet, port);
}

// One roll of the dice decides all that can happen to a datagram.
void Network::carry(std::uint32_t host, std::uint64_t& last_us, EventKind kind,
                    std::uint32_t packet, std::uint32_t where) {
  const std::uint64_t roll = world_.dice.any();
  const std::uint32_t loss_in_1024 =
      losing > 0 ? Scenario::kMostLossIn1024 : world_.scenario.loss_in_1024;
  const bool is_lost = (roll & 1023) < loss_in_1024;
  if (is_lost || world_.hosts[host].cut > 0) {
    world_.seen.saw(is_lost ? Sight::kLoss : Sight::kPartition);
    return world_.note(Step::kLost, where, world_.packets[packet].message);
  }
  std::uint64_t at_us = world_.now_us + kPathUs + ((roll >> 20) & kJitterUs);
  if (delaying > 0) {
    world_.seen.saw(Sight::kDelay);
    at_us += kDelayUs;
  }
  if (reordering > 0) {
    world_.seen.saw(Sight::kReordering);
    at_us += (roll >> 40) & kReorderingUs;
  } else {
    at_us = std::max(at_us, last_us);
    last_us = at_us;
  }
  world_.packets.hold(packet);
  world_.events.plan(at_us, kind, packet, where);
  if (doubling == 0 || ((roll >> 10) & 1023) >= kDoublingOf1024) return;
  world_.seen.saw(Sight::kDuplication);
  world_.packets.hold(packet);
  world_.events.plan(at_us + ((roll >> 30) & kJitterUs), kind, packet, where);
}

void Network::refuse_to_server(std::uint32_t port) {
  if (losing_icmp > 0 || world_.hosts[ports_[port].host].cut > 0) {
    return world_.seen.saw(Sight::kIcmpLost);
  }
  world_.seen.saw(Sight::kIcmpToServer);
  world_.plan(kPathUs, EventKind::kRefusalAtServer, port);
}

void Network::refuse_to_client(std::uint32_t port) {
  if (losing_icmp > 0 || world_.hosts[ports_[port].host].cut > 0) {
    return world_.seen.saw(Sight::kIcmpLost);
  }
  world_.seen.saw(Sight::kIcmpToClient);
  world_.plan(kPathUs, EventKind::kRefusalAtClient, 0, port);
}

}  // namespace chatd::sim
