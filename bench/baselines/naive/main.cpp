// chatd_naive: the relay that most people would write first. It receives a datagram, looks up who
// sent it, and sends it to each of the others, one system call each. It is what chatd is compared
// with, and serves no other purpose: no tokens, no checks, no timers, and nobody ever leaves
// (bench/baselines/bare_relay.h says how one gets in).
#include <absl/container/flat_hash_map.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "bench/baselines/bare_relay.h"

namespace chatd::bench {
namespace {

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

NaiveRelay::SourceKey NaiveRelay::key_of(const sockaddr_in& address) {
  return SourceKey{address.sin_addr.s_addr} << 16 | address.sin_port;
}

void NaiveRelay::run() {
  std::array<char, kMaxBareDatagramBytes> buffer;
  for (;;) {
    sockaddr_in source{};
    socklen_t length = sizeof source;
    const ssize_t size = ::recvfrom(fd_, buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&source), &length);
    if (size < 0) continue;  // an ICMP error of an earlier send
    const std::string_view datagram(buffer.data(), static_cast<std::size_t>(size));
    if (const auto room = parse_registration(datagram)) {
      register_member(*room, source);
    } else {
      relay(datagram, source);
    }
  }
}

void NaiveRelay::register_member(std::string_view room, const sockaddr_in& source) {
  const auto [named, is_new_room] =
      room_by_name_.try_emplace(std::string(room), members_by_room_.size());
  if (is_new_room) members_by_room_.emplace_back();
  const RoomIndex index = named->second;
  const auto [known, is_new_member] = room_by_source_.try_emplace(key_of(source), index);
  if (!is_new_member && known->second != index) {
    // An address that was somebody else's, in an earlier run.
    std::erase_if(members_by_room_[known->second],
                  [&](const sockaddr_in& member) { return key_of(member) == key_of(source); });
    known->second = index;
    members_by_room_[index].push_back(source);
  } else if (is_new_member) {
    members_by_room_[index].push_back(source);
  }
  send(acknowledgement_, source);
}

void NaiveRelay::relay(std::string_view datagram, const sockaddr_in& source) const {
  const auto room = room_by_source_.find(key_of(source));
  if (room == room_by_source_.end()) return;
  for (const sockaddr_in& member : members_by_room_[room->second]) {
    if (key_of(member) != room->first) send(datagram, member);
  }
}

void NaiveRelay::send(std::string_view datagram, const sockaddr_in& destination) const {
  ::sendto(fd_, datagram.data(), datagram.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&destination), sizeof destination);
}

}  // namespace
}  // namespace chatd::bench

int main(int argc, char** argv) {
  const auto options = chatd::bench::parse_bare_options(
      "chatd_naive", "A plain recvfrom/sendto relay, to compare chatd with. Nothing to use.", argc,
      argv);
  if (!options) return options.error();
  const auto socket = chatd::bench::open_bare_socket("naive", *options);
  if (!socket) {
    std::fprintf(stderr, "chatd_naive: %s\n", socket.error().c_str());
    return 1;
  }
  chatd::bench::NaiveRelay(socket->get()).run();
}
