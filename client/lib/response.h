// What the payload of an answer says.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

struct RoomInfo {
  std::string name;
  // At most kMaxListedMembers names, and none of a room with a password.
  std::vector<std::string> members;
  std::uint64_t count = 0;
  bool password_required = false;
};

// In the server's order.
struct RoomList {
  std::vector<RoomInfo> rooms;
  std::uint64_t total = 0;
};

// What a member gets to know about itself.
struct Entry {
  Token token;
  // How long the server waits for a word of it. Nothing: an older server, that does not tell.
  std::optional<std::int64_t> idle_timeout_ms = {};
};

// kRefused with the server's words for every status but 201.
tl::expected<Entry, Error> parse_entry_answer(std::string_view payload);

// kRefused when the server answered with a status instead of a list.
tl::expected<RoomList, Error> parse_room_list(std::string_view payload);

}  // namespace chatd::client
