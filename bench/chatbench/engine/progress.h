// What the person who waits sees meanwhile: one line on the terminal that is written over, and
// nothing when stderr is not a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

class Progress {
 public:
  // Looks whether stderr is a terminal.
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void joined(std::uint64_t members, std::uint64_t of);
  void waiting(std::string_view phase);  // "warming up"
  // One second of the measure phase is over.
  void second(const SecondFigures& figures, double interval_s, double of_s, std::uint64_t missing);
  // Takes the line away.
  void clear();

 private:
  void show(const std::string& line);

  bool is_terminal_;
  bool is_shown_ = false;
  std::int64_t shown_ns_ = 0;
};

}  // namespace chatd::bench
