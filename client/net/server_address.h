// Where a chatd is, how long to wait for it, and who decides whether it is the one that is meant.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "client/lib/error.h"
#include "client/net/address.h"

namespace chatd::client {

// "chat.example", "chat.example:8001", "192.0.2.7:8001", "[2001:db8::7]:8001", "2001:db8::7".
struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port = {};
};
// Nothing when it is none of these.
std::optional<HostAndPort> read_server(const std::string& text);

// What is known of a server after the TLS handshake.
struct ServerCertificate {
  std::string host;  // as the person has given it
  Address peer;
  bool is_trusted = false;  // by the authorities of this machine, for this host
  std::string doubt = {};   // why not
  std::string fingerprint;  // as TlsConnection::fingerprint()
};

// Whether to go on; kUntrusted with the reason otherwise.
using CertificateCheck = std::function<tl::expected<void, Error>(const ServerCertificate&)>;

struct ServerAddress {
  int protocol = 2;                // 1 or 2
  std::string host = "localhost";  // a name or a literal address of either family
  std::uint16_t tcp_port = 8001;   // for requests: with protocol 2 the port with TLS
  std::uint16_t udp_port = 0;      // with protocol 2: 0 is the one that the server names
  bool gro = true;                 // see udp_socket.h
  // For finding the host and the connection, and again for the answer.
  std::int64_t timeout_ms = 5'000;
  // In now_ms(): nothing takes longer than that.
  std::int64_t deadline_ms = std::numeric_limits<std::int64_t>::max();
  // Readable: give up at once with kInterrupted (-1: never).
  int interrupt_fd = -1;
  // With protocol 2; without one nobody is trusted but by the authorities.
  CertificateCheck check = {};
};

}  // namespace chatd::client
