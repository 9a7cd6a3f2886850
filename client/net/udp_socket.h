// The socket that a member talks through: non-blocking, connected to the server, so that nobody
// else's datagrams come in and refusals are reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::client {

class UdpSocket {
 public:
  // `gro`: take trains of datagrams whole, where the kernel has UDP_GRO (see udp_gro.h).
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
