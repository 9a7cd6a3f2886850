// What the command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/lib/liveness.h"
#include "client/net/server_address.h"

namespace chatd::client {

// What who comes late may read of what was said before, in a room that is created: as much as fills
// a screen or two.
inline constexpr std::uint32_t kDefaultHistory = 100;

struct Options {
  enum class Task : std::uint8_t { kAsk, kCreate, kJoin, kRooms };

  Task task = Task::kAsk;
  std::string room;
  std::string name;
  std::string password;
  std::string room_key;  // a passphrase; "-": to be asked for; empty: none
  ServerAddress server;
  std::string pin;  // in the form of read_fingerprint(); empty: none
  bool trusts_new = false;
  std::uint32_t history = kDefaultHistory;
  std::int64_t heartbeat_ms = kDefaultHeartbeatMs;
  bool json = false;
  std::optional<std::uint64_t> count;
  std::optional<std::int64_t> timeout_ms;
};

// Nothing when the program is to end with `exit_code`: after --help, or after an error that has
// been explained on stderr.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace chatd::client
