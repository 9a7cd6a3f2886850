// An IP address with a port, and how a host's name becomes one.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "client/lib/error.h"

namespace chatd::client {

class Address {
 public:
  Address(const sockaddr* address, socklen_t size_bytes);

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const;
  socklen_t size_bytes() const { return size_bytes_; }
  std::uint16_t port() const;
  Address with_port(std::uint16_t port) const;
  bool is_loopback() const;       // on this machine
  std::string ip() const;         // 127.0.0.1, ::1
  std::string to_string() const;  // 127.0.0.1:8000, [::1]:8000

 private:
  sockaddr_storage storage_{};
  socklen_t size_bytes_ = 0;
};

// All addresses of a name or literal (an IPv6 literal may stand in brackets), in the resolver's
// order of preference; at least one. Waits until `deadline_ms` of now_ms() at most, or until
// `interrupt_fd` becomes readable (-1: nothing interrupts).
tl::expected<std::vector<Address>, Error> resolve(const std::string& host, std::uint16_t port,
                                                  std::int64_t deadline_ms, int interrupt_fd);

}  // namespace chatd::client
