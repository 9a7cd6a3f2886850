#include "bench/chatbench/net/this_machine.h"

#include <sys/socket.h>

#include "client/net/unique_fd.h"

namespace chatd::bench {

bool is_this_machine(const client::Address& address) {
  const client::Address any_port = address.with_port(0);
  const UniqueFd socket(::socket(any_port.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::bind(socket.get(), any_port.get(), any_port.size_bytes()) == 0;
}

}  // namespace chatd::bench
