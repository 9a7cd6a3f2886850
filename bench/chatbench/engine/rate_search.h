// The search for the highest rate that holds an SLO: doubled as long as it holds, then halving the
// interval between the highest that held and the lowest that did not, until the two are within 5 %.
//
// Thread: one at a time.
#pragma once

#include <optional>

namespace chatd::bench {

class RateSearch {
 public:
  static constexpr double kPrecision = 0.05;
  static constexpr double kLowestRate = 1;  // below, the search gives up
  static constexpr double kHighestRate = 100e6;

  explicit RateSearch(double start) : next_(start) {}

  // Messages per second to try; nothing when the search is over.
  std::optional<double> next() const { return next_; }
  // How the rate that next() named has done.
  void report(bool holds);
  // The highest rate that held.
  std::optional<double> best() const { return best_; }

 private:
  std::optional<double> next_;
  std::optional<double> best_;
  std::optional<double> worst_;  // the lowest that did not
};

}  // namespace chatd::bench
