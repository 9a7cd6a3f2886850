// 400 seeds of the simulator (simulation.h), in parts that may run side by side; and that a seed
// means the same each time.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/sim/simulation.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kSteps = 20'000;
constexpr std::uint64_t kSeedsPerPart = 200;

class Seeds : public testing::TestWithParam<std::uint64_t> {};

// Nothing is found, and nothing is missing among what was tried: each fault, each drop and each
// answer occurs in each part.
TEST_P(Seeds, HoldAndCoverEverything) {
  const std::uint64_t first = 1 + GetParam() * kSeedsPerPart;
  Coverage seen;
  for (std::uint64_t seed = first; seed < first + kSeedsPerPart; ++seed) {
    Simulation simulation(seed);
    ASSERT_TRUE(simulation.run(kSteps)) << simulation.report(kSteps);
    ASSERT_GE(simulation.events(), kSteps);
    seen.add(simulation.seen());
  }
  for (const std::string& name : seen.missing()) ADD_FAILURE() << name << " never occurred";
}
INSTANTIATE_TEST_SUITE_P(Parts, Seeds, testing::Range<std::uint64_t>(0, 2));

std::uint64_t trace_hash_of(std::uint64_t seed, std::uint64_t steps) {
  Simulation simulation(seed);
  EXPECT_TRUE(simulation.run(steps)) << simulation.report(steps);
  return simulation.trace_hash();
}

TEST(Simulator, SameSeedSameTrace) {
  for (const std::uint64_t seed : {7u, 8u, 9u}) {
    EXPECT_EQ(trace_hash_of(seed, kSteps), trace_hash_of(seed, kSteps));
  }
}

TEST(Simulator, OtherSeedOrOtherLengthOtherTrace) {
  EXPECT_NE(trace_hash_of(7, kSteps), trace_hash_of(8, kSteps));
  EXPECT_NE(trace_hash_of(7, kSteps), trace_hash_of(7, kSteps / 2));
}

TEST(Simulator, CoverageNamesWhatIsMissing) {
  Coverage nothing;
  EXPECT_GT(nothing.missing().size(), static_cast<std::size_t>(Sight::kCount));
  nothing.saw(Sight::kLoss);
  for (const std::string& name : nothing.missing()) EXPECT_NE(name, sight_name(Sight::kLoss));
}

}  // namespace
}  // namespace chatd::sim
