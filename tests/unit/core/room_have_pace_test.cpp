// How long members may put off HAVE: from the room's size and from how much is sent to it.
#include "core/room/have_pace.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace chatd {
namespace {

constexpr TimeMs kStartMs = 1'000'000;

// After ten seconds in which each member has got so many datagrams a second.
std::uint32_t interval_ms(std::uint32_t members, std::uint32_t datagrams_per_s) {
  HavePace pace;
  pace.adapt(kStartMs, members);
  pace.count(members * datagrams_per_s * 10);
  pace.adapt(kStartMs + 10'000, members);
  return pace.interval_ms();
}

TEST(HavePace, IsShortUntilItIsKnown) {
  const HavePace pace;
  EXPECT_EQ(pace.interval_ms(), 1000u);
  EXPECT_FALSE(pace.is_long());
}

TEST(HavePace, IsShortInASmallRoomThoughNobodySpeaks) {
  EXPECT_EQ(interval_ms(3, 0), 1000u);
  EXPECT_EQ(interval_ms(100, 0), 1000u);
  EXPECT_EQ(interval_ms(200, 0), 2000u);
}

TEST(HavePace, TakesLessThanATwentiethOfWhatIsSentToALargeRoom) {
  for (const std::uint32_t datagrams_per_s : {2u, 5u, 10u}) {
    const std::uint32_t shortest_ms = interval_ms(10'000, datagrams_per_s) * 3 / 4;
    const double haves_per_datagram = 1000.0 / shortest_ms / datagrams_per_s;
    EXPECT_LT(haves_per_datagram, 0.05) << datagrams_per_s;
    EXPECT_GT(haves_per_datagram, 0.03) << datagrams_per_s;
  }
}

TEST(HavePace, HasEnds) {
  EXPECT_EQ(interval_ms(10'000, 1'000), HavePace::kMinIntervalMs);
  EXPECT_EQ(interval_ms(1'000'000, 0), HavePace::kMaxIntervalMs);
}

TEST(HavePace, GoesByTheLastSecondsAlone) {
  HavePace pace;
  pace.adapt(kStartMs, 10'000);
  pace.count(10'000 * 100);
  pace.adapt(kStartMs + 4'999, 10'000);
  EXPECT_EQ(pace.interval_ms(), HavePace::kMaxIntervalMs) << "it is too early to tell";
  pace.adapt(kStartMs + 5'000, 10'000);
  EXPECT_LT(pace.interval_ms(), 2'000u);
  pace.adapt(kStartMs + 10'000, 10'000);
  EXPECT_EQ(pace.interval_ms(), HavePace::kMaxIntervalMs);
}

}  // namespace
}  // namespace chatd
