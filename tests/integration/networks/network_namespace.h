// A network of its own: a network namespace, which a test fills with devices and whose inside it
// visits. Sockets and processes stay in the network in which they were made, so a test runs chatd
// in one and its members in others, all from one thread.
//
// It lives as long as something refers to it; with the last descriptor the kernel takes its devices
// down.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/os/unique_fd.h"

namespace chatd::test {

class NetworkNamespace {
 public:
  // With its loopback device up. Ends the test where that is refused: ask why_no_networks() first.
  NetworkNamespace();

  int fd() const { return fd_.get(); }
  // By which the program ip knows it, for `ip link add … peer … netns …`.
  std::string path() const;

  // Runs `ip` in it, once for all of these: {"link set lo up", …}. The test fails, with ip's words,
  // where one is refused.
  void ip(const std::vector<std::string>& commands) const;
  // An address with its prefix ("10.9.0.2/24", "fd09::2/64"), which can be used at once.
  void add_addresses(const std::string& device, const std::vector<std::string>& addresses) const;
  // Sets /proc/sys/`name` for it.
  void set_sysctl(const std::string& name, const std::string& value) const;

  // What the kernel has dropped here: by devices, and for want of room in UDP receive buffers.
  std::uint64_t drops() const;
  // What became of IP packets that were too large here, over both families.
  struct TooLarge {
    std::uint64_t fragments_made;
    std::uint64_t fragments_received;  // by a host, which puts them together
    std::uint64_t refused;             // they might not be cut
  };
  TooLarge too_large() const;

 private:
  UniqueFd fd_;
};

// The calling thread is in `network` while this lives.
class Inside {
 public:
  explicit Inside(const NetworkNamespace& network);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  UniqueFd before_;
};

// Why this machine permits no networks of one's own, as the reason to skip a test; "" where it
// does.
const std::string& why_no_networks();

// An Ethernet cable (a veth pair) from `device` in `here` to `other_device` in `there`, both up.
void lay_cable(const NetworkNamespace& here, const std::string& device,
               const NetworkNamespace& there, const std::string& other_device);

// Keeps the calling thread, and what it starts, on one processor. A packet waits for the receiving
// side on the processor that sent it, so a sender that is moved to another can overtake itself.
void stay_on_one_processor();

}  // namespace chatd::test
