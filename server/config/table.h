// The one table of chatd's options. Flags, environment variables, the configuration file, the help
// text, the manual page and docs/reference/options.md all follow from it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "server/config/value.h"
#include "server/options.h"

namespace chatd::config {

// A table of the TOML file, and a heading of the help text.
struct Group {
  const char* name;
  const char* title;
  // Goes before its keys in flags and variables: `level` of [log] is --log-level.
  const char* prefix = "";
};

// Where an option's value goes.
using Field = std::variant<std::string*, bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*>;

struct Row {
  const Group* group;
  const char* key;  // in the TOML file
  Kind kind;
  bool needs_restart;  // otherwise a reload is enough
  const char* description;
  Field (*field)(Options&);
  const char* full_name = nullptr;  // in flags and variables, where it is not prefix and key

  std::string toml_name() const;     // limits.max_rooms
  std::string flag() const;          // --max-rooms
  std::string environment() const;   // CHATD_MAX_ROOMS
  std::string default_text() const;  // 100000
};

// In the order in which everything shows them: group by group.
const std::vector<Row>& all_rows();
const std::vector<const Group*>& all_groups();

// One of the limits that `--limits off` makes 0.
bool is_abuse_limit(const Row& row);

void store(const Row& row, const Value& value, Options& options);
void copy(const Row& row, const Options& from, Options& to);
// What is in `options`, as text.
std::string text_of(const Row& row, const Options& options);

}  // namespace chatd::config
