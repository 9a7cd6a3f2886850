// What chatctl's command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/ctl/endpoint.h"

namespace chatd::client::ctl {

// `chatctl --help` and docs/guide/operations.md list them.
enum class ExitCode : int {
  kDone = 0,
  kNotDone = 1,  // no chatd answers, or it refused
  kUsage = 2,    // wrong flags or arguments
};

enum class Task : std::uint8_t {
  kStatus,
  kRooms,
  kMembers,
  kConfig,
  kTop,
  kKick,
  kCloseRoom,
  kBan,
  kUnban,
  kBans,
  kDrain,
  kReload,
  kLogLevel,
};

struct Options {
  Task task = Task::kStatus;
  AdminAddress address;
  bool json = false;
  std::optional<std::uint64_t> limit;  // rows
  std::string room;
  std::string username;
  std::string level;
  std::string target;    // of a ban: an address, ADDRESS/PREFIX or a name
  bool is_name = false;  // `target` is a name, whatever it looks like
  std::string reason;
  std::string lasts;  // a duration; empty: for good
};

// Nothing when the program is to end with `exit_code`: after --help, or after an error that has
// been explained on stderr.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace chatd::client::ctl
