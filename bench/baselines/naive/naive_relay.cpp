#include "bench/baselines/naive/naive_relay.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace chatd::bench {

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

}  // namespace chatd::bench
