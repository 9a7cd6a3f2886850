#include "tests/integration/networks/nat.h"

#include "tests/integration/networks/ip_packet.h"

namespace chatd::test {

bool Nat::translate_outgoing(std::string& packet) {
  const auto addresses = addresses_of(packet);
  if (!addresses || addresses->source != private_ || addresses->source_port == 0) return false;
  std::uint16_t port = addresses->source_port;
  if (addresses->protocol == kUdpProtocol) {
    const auto [found, is_new] = public_ports_.try_emplace(port, next_port_);
    if (is_new) private_ports_[next_port_++] = port;
    port = found->second;
  }
  set_source(packet, public_, port);
  return true;
}

bool Nat::translate_incoming(std::string& packet) {
  const auto addresses = addresses_of(packet);
  if (!addresses || addresses->destination != public_) return false;
  std::uint16_t port = addresses->destination_port;
  if (addresses->protocol == kUdpProtocol) {
    const auto found = private_ports_.find(port);
    if (found == private_ports_.end()) return false;
    port = found->second;
  } else if (addresses->protocol != kTcpProtocol) {
    return false;
  }
  set_destination(packet, private_, port);
  return true;
}

void Nat::rebind() {
  public_ports_.clear();
  private_ports_.clear();
}

}  // namespace chatd::test
