// What one of the sources (file, environment, command line) says: options that override those of
// the sources before it, and where each stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/config/table.h"

namespace chatd::config {

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

}  // namespace chatd::config
