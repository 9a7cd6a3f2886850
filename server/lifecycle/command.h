// What chatd can be told to do: by signal, over the admin endpoint, or by the process that it has
// taken the place of.
#pragma once

#include <cstdint>
#include <optional>

namespace chatd {

enum class Command : std::uint8_t {
  kStop,      // SIGINT, SIGTERM
  kReload,    // SIGHUP
  kDrain,     // SIGUSR2
  kHandOver,  // SIGUSR1
};

// As one chatd tells another, which may be of another version: letters are never used again.
constexpr char letter_of(Command command) {
  switch (command) {
    case Command::kReload:
      return 'r';
    case Command::kDrain:
      return 'd';
    case Command::kHandOver:
      return 'h';
    case Command::kStop:
      break;
  }
  return 's';
}

// Nothing for a letter that this version does not know.
constexpr std::optional<Command> command_of(char letter) {
  for (const Command each :
       {Command::kStop, Command::kReload, Command::kDrain, Command::kHandOver}) {
    if (letter_of(each) == letter) return each;
  }
  return std::nullopt;
}

}  // namespace chatd
