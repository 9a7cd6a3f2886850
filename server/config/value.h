// The kinds of value that an option can have. A type is read from text and written as text here and
// nowhere else, so that "300s" means the same in the file, in the environment and as a flag.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace chatd::config {

struct ValueType {
  enum class Kind : std::uint8_t {
    kText,       // printable ASCII
    kNumber,     // lowest to highest
    kSize,       // bytes, lowest to highest, with a unit
    kDuration,   // milliseconds, with a unit
    kChoice,     // one of `words`
    kSwitch,     // the first of two `words` is off, the second one on
    kBool,       // true or false; as a flag, its presence
    kShards,     // a number, or auto for one for each processor
    kAdmin,      // off, or an address for the admin endpoint
    kAddresses,  // none, or addresses and ranges of them, with commas
    kNames,      // none, or names, with commas
    kTlsPort,    // a port, auto for the usual one if it is free, or off
  };

  Kind kind = Kind::kText;
  const char* placeholder = "TEXT";  // in the help text
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
  std::vector<std::string> words = {};

  bool is_list() const { return kind == Kind::kAddresses || kind == Kind::kNames; }
};

struct Value {
  std::string text;          // as chatd writes it: 300000ms is 300s
  std::uint64_t number = 0;  // of a switch or a bool: 1 is on
};

// An error says what is wrong with the text, which it quotes, and what would be right.
tl::expected<Value, std::string> read_value(const ValueType& type, std::string_view text);

// The text of a value; it reads as the same value. Not for texts and choices, which are text.
std::string write_number(const ValueType& type, std::uint64_t number);

// The elements of a list.
std::vector<std::string> split_list(std::string_view text);

// "1 to 10000000", "on or off": what may be given.
std::string describe_range(const ValueType& type);

// The same text without what a terminal or a TOML comment would not take.
std::string printable(std::string_view text);

}  // namespace chatd::config
