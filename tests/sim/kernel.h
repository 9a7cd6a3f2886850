// The kernel under the server's UDP socket, as far as sending goes: what it says to a datagram or a
// train (sendmmsg(2), udp(7)).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/endpoint.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Kernel {
 public:
  enum class Word : std::uint8_t {
    kTaken,
    kSocketFull,   // EAGAIN
    kDeviceFull,   // ENOBUFS
    kUnreachable,  // EHOSTUNREACH
    kRefused,      // ECONNREFUSED, again and again
    kTooBig,       // EMSGSIZE
    kNoTrains,     // EIO: nothing on the way can cut it
    kForbidden,    // EPERM: a packet filter
  };
  static constexpr std::size_t kSmallMtu = 600;

  Kernel(const World& world, const Network& network) : world_(world), network_(network) {}

  Word send(const Endpoint& to, std::size_t size_bytes, bool is_train) {
    if (is_filling_) {
      if (room_left_ == 0) return Word::kSocketFull;
      --room_left_;
    }
    const auto port = network_.find_port(to);
    if (!port) return Word::kTaken;  // a host that is none of ours: it goes out and is gone
    const Host& host = world_.hosts[network_.port(*port).host];
    if (host.unreachable > 0) return Word::kUnreachable;
    if (host.refusing > 0) return Word::kRefused;
    if (host.forbidden > 0) return Word::kForbidden;
    if (is_train && host.without_trains > 0) return Word::kNoTrains;
    if (host.small_mtu > 0 && size_bytes > kSmallMtu)
      return is_train ? Word::kNoTrains : Word::kTooBig;
    if (host.device_full > 0) return Word::kDeviceFull;
    return Word::kTaken;
  }

  // The socket has room for so many more, and then no longer.
  void fill_up(std::uint32_t room_left) {
    is_filling_ = true;
    room_left_ = room_left;
  }
  void drain() { is_filling_ = false; }
  bool is_full() const { return is_filling_ && room_left_ == 0; }

 private:
  const World& world_;
  const Network& network_;
  bool is_filling_ = false;
  std::uint32_t room_left_ = 0;
};

}  // namespace chatd::sim
