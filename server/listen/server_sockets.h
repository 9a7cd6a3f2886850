// The sockets that a server serves on, opened here or passed on by the service manager.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/options.h"
#include "server/os/unique_fd.h"

namespace chatd {

// All sockets that a server serves on. They come to it as an argument (Server::open), so that it
// does not matter where they are from.
struct ServerSockets {
  UniqueFd tcp_listener;
  UniqueFd tls_listener = {};  // none: there is no TLS port
  // One a shard, in the order in which the kernel numbers them (open_udp_sockets).
  std::vector<UniqueFd> udp;
  int family = 0;  // of all: AF_INET or AF_INET6
};

// New ones, where the options say. The error is a sentence that says what to do.
tl::expected<ServerSockets, std::string> open_server_sockets(const Options& options);
// The listener of the TLS port alone; none where there is to be none. With --tls-port auto a port
// that is taken is a warning, so that a chatd that knew no TLS goes on when it is replaced.
tl::expected<UniqueFd, std::string> open_tls_listener(const Options& options);

// Socket activation (systemd.socket(5), sd_listen_fds(3)): the service manager has opened chatd's
// sockets before it started chatd, and passes them on. They stay open while chatd is away, so that
// who calls meanwhile waits instead of being refused, and they may have ports that chatd itself has
// no right to.
//
// A listener with the name "tls" (FileDescriptorName=) is the TLS port's; without one there is no
// TLS port.
//
// The sockets that were passed, fit to serve so many shards, with the options that chatd's own
// would have; nothing where none were passed. What was passed and does not fit is an error: a
// sentence that says what to change in the .socket unit. Afterwards the environment does not speak
// of them any more, so that no child takes them for its own.
tl::expected<std::optional<ServerSockets>, std::string> take_passed_sockets(std::uint32_t shards);

}  // namespace chatd
