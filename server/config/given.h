// What one of the sources (file, environment, command line) says: values, and where each stands.
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
};

// "default", "file chatd.toml:12", "environment CHATD_MAX_ROOMS", "flag --max-rooms".
std::string to_text(const Source& source);

struct Given {
  const Row* row;
  Value value;
  Source source;
};

// Whole lines for a person, each with its place.
using Errors = std::vector<std::string>;

}  // namespace chatd::config
