// The data plane's datagrams (docs/reference/protocol.md, "Data plane").
//
//   client to server            server to client
//   0  1  RoomNameSize          0  2  00 00
//   1  1  TokenSize: 32 or 16   2  …  payload
//   2  …  room name
//   …  …  token
//   …  …  payload
//
// Thread: these are pure functions; views point into the caller's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wire/v1/token.h"

namespace chatd {

inline constexpr std::size_t kDatagramHeaderBytes = 2;
// What stands before the payload in every datagram from the server.
inline constexpr std::string_view kServerPrefix{"\0\0", 2};

// What a client sent, taken apart. The token is parsed and not yet compared with anything.
struct ClientDatagram {
  std::string_view room;
  Token token;
  std::string_view payload;  // empty: a heartbeat
};

// Nothing for a datagram that is cut short, has another TokenSize, no room name, or a token that is
// not hexadecimal.
std::optional<ClientDatagram> parse_client_datagram(std::string_view bytes);

// The shard that a datagram's token names, without looking at anything else. Nothing when there is
// no token.
std::optional<std::uint8_t> shard_of_datagram(std::string_view bytes);

// Appends a datagram as a client sends it, with the token in hexadecimal. `room` is at most
// kMaxNameBytes long.
void append_client_datagram(std::string& out, std::string_view room, const Token& token,
                            std::string_view payload);

// The payload of a datagram from the server; nothing when it does not start with 00 00.
std::optional<std::string_view> parse_server_datagram(std::string_view bytes);

}  // namespace chatd
