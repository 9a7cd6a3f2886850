// Address translation as a home router does it: a host with a private address shares a public one,
// and each of its UDP ports is given one of the router's when it first sends. When the router
// forgets (rebind), the next datagram gets another port, and the old one leads nowhere. TCP ports
// are kept as they are. IPv4 alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace chatd::test {

// Thread: one at a time.
class Nat {
 public:
  Nat(std::string private_address, std::string public_address)
      : private_(std::move(private_address)), public_(std::move(public_address)) {}

  const std::string& public_address() const { return public_; }

  // Rewrites it for the way out; false for what it does not translate.
  bool translate_outgoing(std::string& packet);
  // And for the way in; false when nobody has this port.
  bool translate_incoming(std::string& packet);

  void rebind();

 private:
  static constexpr std::uint16_t kFirstPort = 20'000;

  std::string private_;
  std::string public_;
  std::map<std::uint16_t, std::uint16_t> public_ports_;   // by private port
  std::map<std::uint16_t, std::uint16_t> private_ports_;  // by public port
  std::uint16_t next_port_ = kFirstPort;
};

}  // namespace chatd::test
