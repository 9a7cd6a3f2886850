// All sockets that a server serves on. They come to it as an argument (Server::open), so that it
// does not matter where they are from.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/options.h"
#include "server/os/unique_fd.h"

namespace chatd {

struct ServerSockets {
  UniqueFd tcp_listener;
  // One a shard, in the order in which the kernel numbers them (open_udp_sockets).
  std::vector<UniqueFd> udp;
  int family = 0;  // of all: AF_INET or AF_INET6
};

// New ones, where the options say. The error is a sentence that says what to do.
tl::expected<ServerSockets, std::string> open_server_sockets(const Options& options);

}  // namespace chatd
