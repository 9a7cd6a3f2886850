// Which faults a test goes through for one call: all of its errors at each of its numbers, or a
// sample that has every error at the first, a middle and the last number.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/resilience/faults/fault_control.h"

namespace chatd::test {

enum class SweepFor : std::uint8_t { kStart, kService, kHandover };

// Whether CHATD_TEST_SWEEP=all is in the environment.
bool is_full_sweep();

// The calls that a scenario makes or may make.
std::vector<Call> calls_of(SweepFor scenario);
// For the parameterised tests: the call's name.
std::string name_of(const testing::TestParamInfo<Call>& info);

class Sweep {
 public:
  // `made`: how often the call is made when nothing fails.
  Sweep(Call call, std::uint32_t made, SweepFor scenario);

  const std::vector<Fault>& faults() const { return faults_; }

 private:
  std::vector<Fault> faults_;
};

}  // namespace chatd::test
