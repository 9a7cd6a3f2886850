// The one table of chatd's options. Flags, environment variables, the configuration file, the help
// text, completions, the manual page and docs/reference/options.md all follow from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config/options.h"
#include "server/config/value.h"

namespace chatd::config {

// A table of the TOML file, and a heading of the help text.
struct Section {
  const char* name;
  const char* title;
  // Goes before its keys in flags and variables: `level` of [log] is --log-level.
  const char* prefix = "";
};

// Where an option's value goes.
using Field = std::variant<std::string*, bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*>;

struct OptionSpec {
  const Section* section;
  const char* key;  // in the TOML file
  ValueType type;
  bool needs_restart;  // otherwise a reload is enough
  const char* description;
  Field (*field)(Options&);
  const char* full_name = nullptr;  // in flags and variables, where it is not the key
  std::string_view old_key = {};    // which it had before: goes on working, with a warning

  std::string toml_name() const;     // limits.max_rooms
  std::string flag() const;          // --max-rooms
  std::string environment() const;   // CHATD_MAX_ROOMS
  std::string default_text() const;  // 100000

  bool has_old_name() const { return !old_key.empty(); }
  std::string old_toml_name() const;
  std::string old_flag() const;
  std::string old_environment() const;
};

// In the order in which everything shows them: section by section.
const std::vector<OptionSpec>& all_options();
const std::vector<const Section*>& all_sections();
// By OptionSpec::toml_name(); there must be one.
const OptionSpec& option_named(std::string_view toml_name);

// One of the limits that `--rate-limits off` makes 0.
bool is_abuse_limit(const OptionSpec& option);

void store(const OptionSpec& option, const Value& value, Options& options);
void copy(const OptionSpec& option, const Options& from, Options& to);
// What is in `options`, as text.
std::string text_of(const OptionSpec& option, const Options& options);

}  // namespace chatd::config
