// The least that a relay with trains can do, and nothing else: receive what has arrived, put each
// room's messages together, and hand every member's datagrams to the kernel. No tokens, no look at
// the payload, no timers, no counters, and nobody ever leaves; a datagram says itself which room
// and member it is from (bench/baseline), so that not even a search is needed. chatd's cost divided
// by this loop's is what chatd's own code costs.
//
// What the kernel needs for a member, an mmsghdr with the address, is made once, when it registers.
// A train changes one iovec and one control block that all headers point to. Measured and left out
// because they changed nothing: batches of sendmmsg between 1 and 1,024, connected sockets.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/baselines/bare_relay.h"
#include "bench/baselines/lower_bound/train.h"

namespace chatd::bench {

class LowerBoundRelay {
 public:
  // `fd` is a blocking, bound IPv4 UDP socket. It stays the caller's.
  explicit LowerBoundRelay(int fd);
  LowerBoundRelay(const LowerBoundRelay&) = delete;  // the headers point into it
  LowerBoundRelay& operator=(const LowerBoundRelay&) = delete;

  // Relays until a signal ends the process.
  [[noreturn]] void run();

 private:
  // What a client puts before each message: opaque to it.
  struct Prefix {
    std::array<char, 4> kind{'M', 0, 0, 0};
    std::uint32_t room = 0;
    std::uint32_t member = 0;
  };

  struct Message {
    std::uint32_t member;
    std::string_view bytes;
    std::size_t next;  // of the same room, in messages_
  };

  struct Room {
    std::deque<sockaddr_in> addresses;  // the headers point to them
    std::vector<mmsghdr> headers;
    std::size_t first = kNone;  // of this turn's messages
    std::size_t last = kNone;
  };

  static constexpr std::size_t kNone = SIZE_MAX;
  // Each turn takes at most so many datagrams, or trains of them. UIO_MAXIOV: one call's limit.
  static constexpr std::size_t kSlots = 1024;
  // A whole train fits (udp(7), UDP_GRO). A multiple of 64, but not of 4,096: slots whole pages
  // apart would all fall into the same few sets of the cache.
  static constexpr std::size_t kSlotBytes = 65'536 + 64;

  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
  };

  std::size_t receive();
  void cut_up(mmsghdr& received, const sockaddr_in& source);
  void sort_in(std::string_view datagram, const sockaddr_in& source);
  void register_member(std::string_view name, const sockaddr_in& source);
  void acknowledge(Prefix prefix, const sockaddr_in& source) const;
  void relay(Room& room);
  void send_train(Room& room);
  void send(std::span<mmsghdr> headers) const;

  int fd_;
  std::vector<char> slots_;
  std::vector<iovec> slot_iovecs_;
  std::vector<sockaddr_in> sources_;
  std::vector<Control> controls_;
  std::vector<mmsghdr> received_;

  absl::flat_hash_map<std::string, std::uint32_t> room_by_name_;
  absl::flat_hash_map<std::uint64_t, Prefix> prefix_by_source_;
  std::deque<Room> rooms_;
  std::vector<std::uint32_t> busy_rooms_;
  std::vector<Message> messages_;

  Train train_;
  iovec whole_train_{};
  std::vector<iovec> private_pieces_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> control_{};
};

}  // namespace chatd::bench
