// How many instructions each hot path takes, counted by callgrind. The count depends on the
// compiler and the libraries, and not on the machine's mood: a busy machine counts the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace chatd::bench {

struct InstructionCount {
  std::string name;
  double per_operation = 0;

  bool operator==(const InstructionCount&) const = default;
};

// Runs `program` (chatd_hot_paths) under valgrind. Takes some ten seconds.
tl::expected<std::vector<InstructionCount>, std::string> count_instructions(
    const std::string& program);

// From one of callgrind's files: its lines "desc: Trigger: Client Request: NAME xOPERATIONS" and
// "summary: INSTRUCTIONS". Nothing when they are not there.
std::optional<InstructionCount> parse_callgrind(std::string_view text);

}  // namespace chatd::bench
