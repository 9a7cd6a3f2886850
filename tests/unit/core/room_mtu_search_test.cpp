#include "core/room/mtu_search.h"

#include <gtest/gtest.h>

#include <optional>

namespace chatd {
namespace {

constexpr std::uint8_t kLargest = kBundleSizes.size() - 1;
constexpr TimeMs kTimeout = MtuSearch::kProbeTimeoutMs;

TEST(MtuSearch, GoesUpBySizeAsLongAsProbesAreAnswered) {
  MtuSearch search;
  EXPECT_EQ(search.proven(), 0);
  EXPECT_EQ(search.on_many_bundles(0, kLargest, 7), 1);
  EXPECT_EQ(search.on_many_bundles(1, kLargest, 8), std::nullopt) << "the answer is under way";
  EXPECT_TRUE(search.on_response(7));
  EXPECT_EQ(search.proven(), 1);
  EXPECT_EQ(search.on_many_bundles(2, kLargest, 9), 2);
  EXPECT_TRUE(search.on_response(9));
  EXPECT_EQ(search.on_many_bundles(3, kLargest, 10), std::nullopt);
}

TEST(MtuSearch, DoesNotGoBeyondTheLargest) {
  MtuSearch search;
  EXPECT_EQ(search.on_many_bundles(0, 0, 7), std::nullopt);
  EXPECT_EQ(search.on_many_bundles(0, 1, 7), 1);
  EXPECT_TRUE(search.on_response(7));
  EXPECT_EQ(search.on_many_bundles(1, 1, 8), std::nullopt);
}

TEST(MtuSearch, AnAnswerToAnEarlierProbeOfTheSizeCountsAndOthersDoNot) {
  MtuSearch search;
  EXPECT_FALSE(search.on_response(0)) << "nothing was asked";
  search.on_many_bundles(0, kLargest, 7);
  search.on_many_bundles(kTimeout, kLargest, 8);
  EXPECT_EQ(search.mark(), 7u) << "each asks for the same";
  EXPECT_FALSE(search.on_response(8));
  EXPECT_TRUE(search.on_response(7));
  EXPECT_FALSE(search.on_response(7)) << "it is known";
}

TEST(MtuSearch, GivesUpAfterThreeAndRests) {
  MtuSearch search;
  TimeMs now = 5;
  for (int i = 0; i < 3; ++i, now += kTimeout) {
    EXPECT_EQ(search.on_many_bundles(now, kLargest, 7), 1) << i;
    EXPECT_EQ(search.on_many_bundles(now + kTimeout - 1, kLargest, 7), std::nullopt) << i;
  }
  EXPECT_EQ(search.on_many_bundles(now, kLargest, 8), std::nullopt);
  EXPECT_FALSE(search.on_response(7)) << "too late";
  const TimeMs rested = now - kTimeout + MtuSearch::kRaiseAfterMs;
  EXPECT_EQ(search.on_many_bundles(rested - 1, kLargest, 9), std::nullopt);
  EXPECT_EQ(search.on_many_bundles(rested, kLargest, 9), 1);
}

class ProvenMtu : public testing::Test {
 protected:
  ProvenMtu() {
    search_.on_many_bundles(0, kLargest, 1);
    search_.on_response(1);
  }
  MtuSearch search_;
};

TEST_F(ProvenMtu, IsProvedAgainAfterALoss) {
  const TimeMs soon = MtuSearch::kProveAgainAfterMs;
  EXPECT_EQ(search_.on_loss(soon - 1, 2), std::nullopt) << "it has just been proven";
  EXPECT_EQ(search_.on_loss(soon, 2), 1);
  EXPECT_TRUE(search_.on_response(2));
  EXPECT_EQ(search_.proven(), 1);
  EXPECT_EQ(search_.on_many_bundles(soon + 1, kLargest, 3), 2) << "and the search goes on";
}

TEST_F(ProvenMtu, IsGivenUpWhenThatIsInVain) {
  TimeMs now = 10'000;
  for (int i = 0; i < 3; ++i, now += kTimeout) EXPECT_EQ(search_.on_loss(now, 2), 1) << i;
  EXPECT_EQ(search_.proven(), 1);
  EXPECT_EQ(search_.on_loss(now, 2), std::nullopt);
  EXPECT_EQ(search_.proven(), 0);
  EXPECT_EQ(search_.on_loss(now + 10'000, 3), std::nullopt) << "1,200 bytes need no proof";
  EXPECT_EQ(search_.on_many_bundles(now + 10'000, kLargest, 3), std::nullopt) << "it rests";
}

// On an Ethernet that loses now and then, larger datagrams than it takes are not tried all the
// time.
TEST_F(ProvenMtu, WhatWasGivenUpRestsThoughASmallerOneIsProvenAgain) {
  TimeMs now = 10'000;
  for (int i = 0; i < 3; ++i, now += kTimeout) {
    EXPECT_EQ(search_.on_many_bundles(now, kLargest, 2), 2) << i;
  }
  EXPECT_EQ(search_.on_many_bundles(now, kLargest, 3), std::nullopt) << "given up";
  now += MtuSearch::kProveAgainAfterMs;
  EXPECT_EQ(search_.on_loss(now, 4), 1);
  EXPECT_TRUE(search_.on_response(4));
  EXPECT_EQ(search_.on_many_bundles(now + kTimeout, kLargest, 5), std::nullopt);
}

// Either event drives a search on; it does not begin another one.
TEST_F(ProvenMtu, TheSearchForALargerOneEndsBeforeItIsProvedAgain) {
  TimeMs now = 10'000;
  EXPECT_EQ(search_.on_many_bundles(now, kLargest, 2), 2);
  EXPECT_EQ(search_.on_loss(now += kTimeout, 3), 2);
  EXPECT_EQ(search_.on_loss(now += kTimeout, 3), 2);
  EXPECT_EQ(search_.on_loss(now += kTimeout, 3), std::nullopt);
  EXPECT_EQ(search_.proven(), 1) << "the larger one does not pass: that says nothing of this one";
  EXPECT_EQ(search_.on_loss(now + kTimeout, 4), 1);
}

}  // namespace
}  // namespace chatd
