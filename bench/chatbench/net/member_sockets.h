// The UDP side of all members, over few sockets or many.
//
// A million clients do not need a million sockets. On loopback every address in 127.0.0.0/8 is this
// machine's, so a socket that is bound to 0.0.0.0 stands for as many clients as there are
// addresses: IP_PKTINFO (ip(7)) says to which of them a datagram came, and from which one to send.
// To the server each is a client of its own, with an address that nobody else has. The kernel's
// work per datagram is the same as for sockets of their own, and ours is less: one recvmmsg takes
// the datagrams of many clients.
//
//   shared   member m has address first_address + m / sockets, and the port of socket m % sockets.
//   So
//            as many members as there are sockets share an address, and with it a TCP connection.
//   own      each member has a connected socket, as a real client has. On loopback 16,384 members
//            share an address and differ by port; towards another host, the kernel picks both.
//
// UDP_GRO (udp(7)): a server that sends a member several messages as one segmented datagram is
// answered in kind: the kernel hands over the whole train in one piece, and it is cut up here, by
// the segment size that comes with it. Trains take slots of 64 KiB: in a smaller one the end would
// be cut off.
//
// Thread: one at a time.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::bench {

// 127.1.0.1: 127.0.0.0/16 is left to people and their servers.
inline constexpr std::uint32_t kFirstMemberAddress = 0x7f01'0001;

struct MemberSocketsConfig {
  std::uint32_t members = 0;
  std::uint32_t sockets = 1;                          // shared ones
  std::uint32_t first_address = kFirstMemberAddress;  // on loopback
  bool own = false;                                   // a socket for each member instead
  bool gro = true;                                    // where the kernel has it
  bool gso = true;                     // what a member says in one go leaves as one train
  std::uint32_t max_datagram_bytes{};  // either way
  std::uint64_t receive_buffer_bytes = 0;
};

class MemberSockets {
 public:
  // Shared sockets need a server at an IPv4 loopback address.
  static bool can_share(const client::Address& server);

  // The error says what to do, too.
  static tl::expected<std::unique_ptr<MemberSockets>, std::string> open(
      const client::Address& server, const MemberSocketsConfig& config);

  MemberSockets(const MemberSockets&) = delete;  // the headers point into it
  MemberSockets& operator=(const MemberSockets&) = delete;

  // Where the member is, as the server sees it. The address is nothing when the kernel picks it.
  std::optional<client::Address> source_of(std::uint32_t member) const;
  std::uint16_t port_of(std::uint32_t member) const;
  // Members that share an address follow each other.
  std::uint32_t members_per_address() const { return members_per_address_; }

  bool gro() const { return gro_; }
  // What the kernel gave each socket. It counts more than the payload: some 800 bytes for a
  // datagram of 130.
  std::uint64_t receive_buffer_bytes() const { return receive_buffer_bytes_; }

  // The datagram is head + tail, at most max_datagram_bytes. It is sent by the next flush(), or
  // now when the queue is full. With `gso`, what one member says several times in a row goes out
  // as one segmented datagram (UDP_SEGMENT, udp(7)), as it would in one write over TCP.
  void queue(std::uint32_t member, std::string_view head, std::string_view tail);
  void flush();

  // Readable when there is something to receive, or the rest of a flush can go out.
  int poll_fd() const { return epoll_.get(); }

  // Calls visit(member, datagram) for a bounded number of datagrams; nothing when there are none.
  // The views are valid until the next call.
  template <class Visit>
  void receive(Visit visit) {
    const std::size_t count = receive_batch();
    for (std::size_t i = 0; i < count; ++i) {
      const Arrival& arrival = arrivals_[i];
      std::string_view rest = arrival.bytes;
      do {
        visit(arrival.member, rest.substr(0, arrival.segment_bytes));
        rest.remove_prefix(std::min(arrival.segment_bytes, rest.size()));
      } while (!rest.empty());
    }
  }

  std::uint64_t unsent() const { return unsent_; }
  std::uint64_t strangers() const { return strangers_; }  // datagrams that are not the server's
  // That found a receive buffer full, since the sockets were opened. A train counts once.
  std::uint64_t receive_drops() const;

 private:
  struct Arrival {
    std::uint32_t member;
    std::size_t segment_bytes;
    std::string_view bytes;
  };
  // One datagram's control messages: the address, and the size of a train's segments.
  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(int))];
  };
  // An entry of the queue: one member's datagram, or several, all of one size but the last.
  struct Train {
    std::uint32_t member = 0;
    std::uint32_t count = 0;
    std::size_t segment_bytes = 0;
  };

  MemberSockets(const client::Address& server, const MemberSocketsConfig& config);
  tl::expected<void, std::string> open_all();
  tl::expected<UniqueFd, std::string> open_one(std::uint32_t index);
  tl::expected<void, std::string> bind(int fd, std::uint32_t index);
  void set_up_queue();
  void set_up_slots();

  std::uint32_t socket_of(std::uint32_t member) const {
    return config_.own ? member : member % config_.sockets;
  }
  in_addr address_of(std::uint32_t member) const;

  bool append_to_train(std::string_view head, std::string_view tail);
  std::size_t send_run(std::size_t first, std::size_t end);
  void watch_for_room(std::uint32_t socket, bool watch);
  std::size_t receive_batch();
  void receive_from(std::uint32_t socket);
  bool take(std::size_t slot, std::uint32_t socket, Arrival& arrival);

  client::Address server_;
  MemberSocketsConfig config_;
  std::uint32_t members_per_address_ = 1;
  bool gro_ = false;
  std::uint64_t receive_buffer_bytes_ = 0;

  UniqueFd epoll_;
  std::vector<UniqueFd> sockets_;
  std::vector<std::uint16_t> ports_;

  // To be sent: entries first_..end_.
  std::vector<char> queue_bytes_;
  std::vector<iovec> queue_pieces_;
  std::vector<Control> queue_controls_;
  std::vector<mmsghdr> queue_;
  std::vector<Train> queue_trains_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  bool is_blocked_ = false;
  std::uint32_t blocked_socket_ = 0;
  std::uint64_t unsent_ = 0;

  // Received.
  std::size_t slot_bytes_ = 0;
  std::vector<char> slot_memory_;
  std::vector<iovec> slot_pieces_;
  std::vector<Control> slot_controls_;
  std::vector<sockaddr_storage> slot_sources_;
  std::vector<mmsghdr> slots_;
  std::vector<Arrival> arrivals_;
  std::size_t used_slots_ = 0;
  std::size_t arrival_count_ = 0;
  std::vector<std::uint32_t> readable_;  // sockets still to be read
  std::uint64_t strangers_ = 0;
};

}  // namespace chatd::bench
