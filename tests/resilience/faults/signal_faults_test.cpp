// Orders by signal that cannot be read: nothing else reads, so this is no part of the sweeps.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/resilience/faults/fault_control.h"
#include "tests/support/chatd_server.h"
#include "tests/support/ledger.h"

namespace chatd::test {
namespace {

class SignalFaults : public testing::TestWithParam<std::int32_t> {};

TEST_P(SignalFaults, StopAllTheSame) {
  FaultControl faults;
  ChatdServer server({"--tls-port", "off"}, faults.process_options());
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  // An interruption passes; whatever else reads nothing is taken for a stop.
  const bool passes = GetParam() == EINTR;
  faults.arm(
      {.call = Call::kRead, .error = GetParam(), .first = 1, .last = passes ? 3 : Fault::kForEver});
  const auto& totals = server.stop(passes ? SIGTERM : SIGUSR2);
  ASSERT_TRUE(totals) << server.diagnosis();
  expect_closed_ledger(*totals);
  EXPECT_EQ(faults.fired(), passes ? 3u : 1u);
}

INSTANTIATE_TEST_SUITE_P(All, SignalFaults,
                         testing::ValuesIn(faults_of(Call::kRead).errors.begin(),
                                           faults_of(Call::kRead).errors.end()));

}  // namespace
}  // namespace chatd::test
