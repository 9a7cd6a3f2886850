// UDP as a member speaks it: a socket that is connected to the server, and trains taken apart.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::client {

// UDP_GRO (udp(7)), the receiving half of trains. A server that has several messages for one member
// may send them as one segmented datagram; without this the kernel cuts it up and wakes the
// receiver for each piece, with it the train arrives whole, in one call, and is cut up here. The
// kernel may also join equal datagrams of one sender that came one by one.
//
// A train is up to 64 KiB long, and what does not fit the buffer is lost: receive with 64 KiB.

inline constexpr std::size_t kMaxTrainBytes = 65'536;
// For the control message, in a buffer of its own.
inline constexpr std::size_t kTrainControlBytes = CMSG_SPACE(sizeof(int));

// False: the kernel does not have it (before Linux 5.0), and datagrams come one by one.
bool enable_udp_gro(int fd);

// What recvmsg(2) says about the length of a train's segments, of which the last may be shorter;
// 0 when the message is a single datagram.
std::size_t segment_bytes_of(const msghdr& received);

// The socket that a member talks through: non-blocking, connected to the server, so that nobody
// else's datagrams come in and refusals are reported.
class UdpSocket {
 public:
  // `gro`: take trains of datagrams whole, where the kernel has UDP_GRO.
  static tl::expected<UdpSocket, Error> open(const Address& server, bool gro);

  int fd() const { return socket_.get(); }
  // Where it sends from, as this machine sees it; a NAT on the way may change both.
  Address local_address() const;
  const Address& peer() const { return peer_; }

  // 0, or errno. A refusal of an earlier datagram may come as the error of this one (ECONNREFUSED);
  // then this one has not gone out.
  int send(std::string_view datagram);

  // The refusal or other error (errno) of an earlier datagram that no call has reported yet; 0 when
  // there is none.
  int take_error();

  struct Received {
    int error = 0;              // EAGAIN: nothing is there
    std::string_view datagram;  // until the next call
  };
  Received receive();
  // Datagrams are left of a train that the kernel has handed over already: poll(2) knows nothing of
  // them, so receive until there are none.
  bool has_more() const { return !train_.empty(); }

 private:
  UdpSocket(UniqueFd socket, const Address& peer);

  std::string_view next_of_train();

  UniqueFd socket_;
  Address peer_;
  std::vector<char> buffer_;
  std::string_view train_;  // what is left of one, in the buffer
  std::size_t segment_bytes_ = 0;
};

}  // namespace chatd::client
