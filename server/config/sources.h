// Where options come from: the command line, environment variables and the configuration file. Each
// of them says which options override those of the sources before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/table.h"

namespace chatd::config {

// What one of the sources (file, environment, command line) says: options that override those of
// the sources before it, and where each stands.
struct Source {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };

  Kind kind = Kind::kDefault;
  std::string place =
      {};  // chatd.toml:12, CHATD_MAX_ROOMS, --max-rooms; of a default: why it is no other
  std::string deprecation = {};  // what to write instead of a name that this option once had
};

// "default", "file chatd.toml:12", "environment CHATD_MAX_ROOMS", "flag --max-rooms".
std::string to_text(const Source& source);

struct Override {
  const OptionSpec* option;
  Value value;
  Source source;
};

// Whole lines for a person, each with its place.
using Errors = std::vector<std::string>;

// What somebody may have meant who wrote a name that does not exist: " (did you mean max_rooms?)",
// or nothing when no name is near.
std::string suggest(std::string_view written, const std::vector<std::string>& known);

// Options from the command line, and what chatd is to do: serve, or only tell something.
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

// Options from environment variables: CHATD_MAX_ROOMS is --max-rooms.
struct Environment {
  std::vector<Override> overrides;
  std::optional<std::string> file;  // CHATD_CONFIG
};

// `environment` is as `environ`: name=value, and a null pointer at the end. CHATD_TEST_... belongs
// to the test suite; any other variable that starts with CHATD_ must be known, since it is most
// likely an option that somebody has misspelt.
Environment read_environment(const char* const* environment, Errors& errors);

// Options from the configuration file, which is TOML: a table for each section, a key for each
// option. `path` is for places only: PATH:LINE, and in errors PATH:LINE:COLUMN.
std::vector<Override> read_toml(std::string_view content, const std::string& path, Errors& errors);

std::vector<Override> read_config_file(const std::string& path, Errors& errors);

}  // namespace chatd::config
