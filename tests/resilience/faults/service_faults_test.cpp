// Every call that a serving chatd makes, failing in every way it can, at every place.
//
// The full sweep (CHATD_TEST_SWEEP=all, ./dev faults) takes each number of each call; without it,
// the first, the one in the middle and the last, and one that lasts.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/resilience/faults/fault_control.h"
#include "tests/resilience/faults/service_scenario.h"
#include "tests/resilience/faults/sweep.h"

namespace chatd::test {
namespace {

class ServiceFaults : public testing::TestWithParam<Call> {
 protected:
  void sweep(std::uint32_t shards, std::uint32_t made) {
    const Sweep sweep(GetParam(), made, SweepFor::kService);
    std::uint32_t reached = 0;
    std::uint32_t gave_up = 0;
    for (const Fault& fault : sweep.faults()) {
      SCOPED_TRACE(std::to_string(shards) + " shards, " + fault.to_string());
      ServiceScenario scenario(shards);
      scenario.run(fault);
      if (scenario.faults().fired() > 0) ++reached;
      if (scenario.has_given_up()) ++gave_up;
      if (HasFailure()) return;
    }
    std::printf("faults: service %u_shards %s calls=%u cases=%zu reached=%u ended=%u went_on=%u\n",
                shards, faults_of(GetParam()).name, made, sweep.faults().size(), reached, gave_up,
                reached - gave_up);
    // The number of calls varies by a few from run to run, so the last ones may not come, and calls
    // that only stopping makes do not come while a lasting fault is on.
    EXPECT_GE(reached * 3, sweep.faults().size());
  }
};

TEST_P(ServiceFaults, CostNothingButWhatTheyHit) {
  for (const std::uint32_t shards : {1U, 2U}) {
    ServiceScenario untroubled(shards);
    untroubled.run_and_count();
    ASSERT_FALSE(HasFailure());
    const std::uint32_t made = untroubled.faults().made(GetParam());
    ASSERT_GT(made, 0U) << "a serving chatd does not call " << faults_of(GetParam()).name;
    sweep(shards, made);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ServiceFaults, testing::ValuesIn(calls_of(SweepFor::kService)),
                         name_of);

}  // namespace
}  // namespace chatd::test
