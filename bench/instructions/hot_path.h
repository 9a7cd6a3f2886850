// One thing that the relay does again and again, set up so that it can be repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace chatd::bench {

struct HotPath {
  using Repeat = std::function<void(std::uint64_t times)>;

  std::string name;
  std::uint64_t repetitions;  // so many that what a repetition costs stands out
  // What one repetition counts as: 64 for a room's turn with 64 messages.
  std::uint64_t operations_per_repetition;
  // Everything that is needed is made here; the function it returns only repeats.
  std::function<Repeat()> prepare;
};

// Deterministic: the same work in each run.
std::vector<HotPath> hot_paths();

}  // namespace chatd::bench
