// The addresses of this machine that clients speak to, where chatd's sockets are on a wildcard
// address. A client knows chatd under the address that it has called, and what comes from another
// one may be lost on the way to it: in a NAT, a firewall, or its own connected socket. So each
// endpoint says by which address it is spoken to (Endpoint::via), as the number of an entry here.
// Routing alone would pick the address that suits the way out.
//
// An entry names the interface as well where the address means nothing without (link-local). They
// are learnt from what comes in: a datagram's control message, a connection's own end. They are
// never removed, so that numbers stay what they are; an address that the machine has lost is
// marked, and comes back when somebody speaks to it again.
//
// Thread: any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/ip_address.h"

namespace chatd {

struct LocalAddress {
  IpAddress ip;
  std::uint32_t interface = 0;  // of link-local ones; 0: any

  bool operator==(const LocalAddress&) const = default;
};

class LocalAddresses {
 public:
  // More than these are left to routing.
  static constexpr std::size_t kMaxAddresses = 1024;

  // A socket that is bound to one address always sends from it: then there is nothing to keep.
  void keep() { are_kept_ = true; }
  bool are_kept() const { return are_kept_; }

  // The number of an address that somebody has spoken to; 0: routing is to pick one.
  std::uint16_t via(const IpAddress& ip, std::uint32_t interface);
  // The same for a connection's own end.
  std::uint16_t via_of(int tcp_fd);

  // The address behind the number. Nothing for 0, and for one that cannot be sent from.
  std::optional<LocalAddress> find(std::uint16_t via) const;

  // Sending from there has failed as it does when the machine has lost the address. True if so:
  // routing picks another one from now on.
  bool has_lost(std::uint16_t via);

  // For another process, which goes on with the same numbers (server/handover/).
  std::vector<LocalAddress> all() const;
  void go_on_from(const std::vector<LocalAddress>& addresses);

 private:
  enum class State : std::uint8_t {
    kUsable,
    kLost,
    kUnfit,  // not that of one host (a broadcast address): nobody can send from it
  };
  struct Entry {
    LocalAddress address;
    std::atomic<State> state = State::kUsable;
  };

  static State state_of(const LocalAddress& address);
  std::uint16_t look_up(const LocalAddress& address);
  void add(const LocalAddress& address, State state);
  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }

  bool are_kept_ = false;
  std::mutex adding_;
  std::atomic<std::uint32_t> count_ = 0;
  std::array<Entry, kMaxAddresses> entries_;  // number n is at n - 1
  // The number that an address had when it was last asked for, by some of its bits.
  std::array<std::atomic<std::uint16_t>, 256> hints_{};
};

}  // namespace chatd
