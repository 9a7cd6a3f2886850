#include "bench/chatbench/net/this_machine.h"

#include <sys/socket.h>

#include "client/net/address.h"
#include "client/net/file_descriptor.h"

namespace chatd::bench {

bool is_this_machine(const std::string& host) {
  const auto addresses = client::resolve(host, 0);
  if (!addresses) return false;
  const client::Address& address = addresses->front();
  const client::FileDescriptor socket(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket.valid() && ::bind(socket.get(), address.get(), address.size_bytes()) == 0;
}

}  // namespace chatd::bench
