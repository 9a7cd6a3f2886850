// What the command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/net/room_client.h"

namespace chatd::client {

struct Options {
  enum class Task : std::uint8_t { kAsk, kCreate, kJoin, kRooms };

  Task task = Task::kAsk;
  std::string room;
  std::string name;
  std::string password;
  ServerAddress server;
  std::int64_t heartbeat_ms = kDefaultHeartbeatMs;
  bool json = false;
  std::optional<std::uint64_t> count;
  std::optional<std::int64_t> timeout_ms;
};

// Nothing when the program is to end with `exit_code`: after --help, or after an error that has
// been explained on stderr.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace chatd::client
