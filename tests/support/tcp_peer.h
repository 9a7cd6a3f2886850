// The client's end of a control connection, down to the single byte.
#pragma once

#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/support/control_peer.h"
#include "tests/support/deadline.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

class TcpPeer : public ControlPeer {
 public:
  // Connects; `source_ip` chooses the address to call from. See `connected`.
  explicit TcpPeer(const SocketAddress& server, std::string_view source_ip = "");

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }
  SocketAddress local() const { return SocketAddress::local_of(fd_.get()); }

  bool send(std::string_view bytes, Deadline deadline = kPatience) override;
  // Sends what fits at once; the number of bytes taken, or -1 when the connection is gone.
  long send_some(std::string_view bytes);
  void finish_sending();

 private:
  bool receive_more(Deadline deadline) override;

  UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace chatd::test
