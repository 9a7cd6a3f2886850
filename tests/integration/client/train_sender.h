// A server's socket that sends trains (UDP_SEGMENT, udp(7)), for those who receive them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "client/net/address.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {

class TrainSender {
 public:
  const UdpPeer& socket() const { return peer_; }
  UdpPeer& socket() { return peer_; }
  client::Address address() const { return {peer_.address().get(), peer_.address().size()}; }

  void send(const SocketAddress& to, std::string_view bytes) { peer_.send(to, bytes); }
  // One call: segments of `segment_bytes` each, the last of what is left.
  void send_train(const SocketAddress& to, std::string_view bytes, std::size_t segment_bytes);

 private:
  UdpPeer peer_;
};

// `count` pieces of `bytes` each that can be told from one another.
std::vector<std::string> numbered_pieces(std::size_t count, std::size_t bytes);
std::string join(const std::vector<std::string>& pieces);

}  // namespace chatd::test
