// What a client asks of the control plane (docs/reference/protocol.md, "Control plane").
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

// Creating a room and joining it ask for the same.
struct EntryRequest {
  Operation operation = Operation::kJoin;  // kCreate or kJoin
  std::string room;
  std::string username;
  std::string password = {};  // "": none
  // Where this client's UDP socket listens, as this machine sees it. Without NAT between, that is
  // where the server sees it, too, and binds the member at once. Behind NAT the two differ, and the
  // server waits for the member's first datagram to learn the address that the NAT has given it.
  std::string udp_ip = {};
  std::uint16_t udp_port = 0;
  // Of the seat that this member has in the room, and wants to take again from here.
  std::optional<Token> token = {};
  // What it will speak over UDP: 1 or 2. With 2, also whether this machine seals with AES, and, for
  // a new room, how many entries of the past those may read who come later.
  int protocol = 1;
  bool knows_aes = false;
  std::uint32_t history_entries = 0;
};

// Whether the frame can be built at all: names have 1..kMaxNameBytes bytes of UTF-8 without control
// characters. `what` ("name", "room") starts the reason.
tl::expected<void, Error> check_name(std::string_view what, std::string_view name);

// Both names have passed check_name; the password is UTF-8.
std::string encode_entry_request(const EntryRequest& request);
std::string encode_list_request();

}  // namespace chatd::client
