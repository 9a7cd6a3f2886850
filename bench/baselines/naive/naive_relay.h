// The relay that most people would write first: receive a datagram, look up who sent it, and send
// it to each of the others, one system call each. It is what chatd is compared with, and serves no
// other purpose: no tokens, no checks, no timers, and nobody ever leaves (bench/baseline says how
// one gets in).
#pragma once

#include <netinet/in.h>

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/baselines/registration.h"

namespace chatd::bench {

class NaiveRelay {
 public:
  // `fd` is a blocking, bound IPv4 UDP socket. It stays the caller's.
  explicit NaiveRelay(int fd) : fd_(fd) {}

  // Relays until a signal ends the process.
  [[noreturn]] void run();

 private:
  using SourceKey = std::uint64_t;  // address and port
  using RoomIndex = std::size_t;

  static SourceKey key_of(const sockaddr_in& address);
  void register_member(std::string_view room, const sockaddr_in& source);
  void relay(std::string_view datagram, const sockaddr_in& source) const;
  void send(std::string_view datagram, const sockaddr_in& destination) const;

  int fd_;
  std::string acknowledgement_ = acknowledgement_of("");
  absl::flat_hash_map<std::string, RoomIndex> room_by_name_;
  absl::flat_hash_map<SourceKey, RoomIndex> room_by_source_;
  std::vector<std::vector<sockaddr_in>> members_by_room_;
};

}  // namespace chatd::bench
