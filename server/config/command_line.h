// Options from the command line, and what chatd is to do: serve, or only tell something.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/config/override.h"

namespace chatd::config {

enum class Task : std::uint8_t {
  kServe,
  kTell,         // --help, --version: `text` is all there is to do
  kCheckConfig,  // say whether the configuration is sound
  kPrintConfig,  // print it
};

struct CommandLine {
  Task task = Task::kServe;
  std::string text = {};
  std::vector<Override> overrides = {};
  std::optional<std::string> file = {};  // --config
};

CommandLine read_command_line(int argc, const char* const* argv, Errors& errors);

std::string help_text();

}  // namespace chatd::config
