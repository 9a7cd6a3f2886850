// Requests to a server, over TCP or over TLS, as its address says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/lib/response.h"
#include "client/net/server_address.h"
#include "client/net/tcp_connection.h"

namespace chatd::client {

// What is left of the time for one step.
std::int64_t patience_ms(const ServerAddress& server);

// A connection for protocol 1.
tl::expected<TcpConnection, Error> connect_plain(const ServerAddress& server);

struct ControlAnswer {
  Address peer;  // who has answered: a name may stand for several machines
  std::string payload;
};

// Asks over TLS whom the check has approved of.
tl::expected<ControlAnswer, Error> ask_over_tls(const ServerAddress& server,
                                                std::string_view request,
                                                std::size_t max_frame_bytes);

// With the protocol of the address.
tl::expected<RoomList, Error> list_rooms(const ServerAddress& server);

}  // namespace chatd::client
