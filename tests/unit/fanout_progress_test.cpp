// Progress against the obvious model: a number for each member.
#include "core/fanout/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace chatd {
namespace {

TEST(Progress, ARoomServedAsAWholeNeedsNoSpans) {
  Progress progress;
  for (const std::uint32_t messages : {1u, 64u, 3u}) {
    EXPECT_EQ(progress.next(10).begin, 0u);
    EXPECT_EQ(progress.next(10).end, 10u);
    EXPECT_EQ(progress.advance(10, 10, messages), messages);
    EXPECT_EQ(progress.most_sent(), 0u);
  }
}

TEST(Progress, GoesOnWhereItWas) {
  Progress progress;
  EXPECT_EQ(progress.advance(100, 60, 1), 0u);  // of one message
  EXPECT_EQ(progress.most_sent(), 1u);
  EXPECT_EQ(progress.next(100).begin, 60u);
  EXPECT_EQ(progress.advance(100, 40, 16), 1u);  // of sixteen, by now
  EXPECT_EQ(progress.next(100).begin, 0u);
  EXPECT_EQ(progress.next(100).end, 60u);
  EXPECT_EQ(progress.most_sent(), 15u);
  EXPECT_EQ(progress.advance(100, 60, 15), 15u);
  EXPECT_EQ(progress.next(100).end, 100u) << "one span again";
}

// Whoever is next has got fewest, everyone gets each message once and in order, and spans never
// need more memory than was reserved.
TEST(Progress, BehavesLikeANumberForEachMember) {
  constexpr std::uint32_t kMaxGroup = 64;
  std::mt19937 random(99);
  for (int round = 0; round < 50; ++round) {
    const auto room_size = static_cast<std::uint32_t>(1 + random() % 2'000);
    Progress progress;
    progress.reserve_for(room_size);
    std::vector<std::uint64_t> got(room_size);
    std::uint64_t said = 0;
    std::uint64_t popped = 0;
    for (int turn = 0; turn < 500; ++turn) {
      said += random() % 100;
      if (said == popped) continue;
      const Progress::Span next = progress.next(room_size);
      const std::uint64_t fewest = *std::min_element(got.begin(), got.end());
      ASSERT_EQ(fewest, popped);
      const auto messages =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(said - popped, kMaxGroup));
      const auto slice = static_cast<std::uint32_t>(Progress::kMinSlice + random() % 500);
      const std::uint32_t count = std::min(next.end - next.begin, slice);
      ASSERT_GT(count, 0u);
      for (std::uint32_t i = next.begin; i < next.begin + count; ++i) {
        ASSERT_EQ(got[i], popped) << "who is next has got nothing of what waits";
        got[i] += messages;
      }
      popped += progress.advance(room_size, count, messages);
      ASSERT_EQ(popped, *std::min_element(got.begin(), got.end()));
      ASSERT_EQ(popped + progress.most_sent(), *std::max_element(got.begin(), got.end()));
    }
  }
}

}  // namespace
}  // namespace chatd
