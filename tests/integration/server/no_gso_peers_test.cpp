// For how long a destination gets no trains.
#include "server/data/no_gso_peers.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace chatd::test {
namespace {

const Endpoint kThere{*IpAddress::parse("192.0.2.1"), 9};

TEST(NoGsoPeers, WhoRefusesAgainIsAskedLessOftenAndNeverNever) {
  NoGsoPeers plain;
  TimeMs now_ms = 5000;
  for (TimeMs pause_ms = NoGsoPeers::kFirstPauseMs; pause_ms < 4 * NoGsoPeers::kLongestPauseMs;
       pause_ms *= 2) {
    const TimeMs expected_ms = std::min(pause_ms, NoGsoPeers::kLongestPauseMs);
    EXPECT_FALSE(plain.contains(kThere, now_ms));
    plain.add(kThere, EIO, now_ms);
    EXPECT_TRUE(plain.contains(kThere, now_ms + expected_ms - 1));
    now_ms += expected_ms;
  }
  EXPECT_FALSE(plain.contains(kThere, now_ms));
}

TEST(NoGsoPeers, WhoHasTakenTrainsForAWhileBeginsAnew) {
  NoGsoPeers plain;
  plain.add(kThere, EIO, 0);
  plain.add(kThere, EIO, 1000);
  EXPECT_TRUE(plain.contains(kThere, 2999));
  plain.add(kThere, EIO, 10'000);
  EXPECT_TRUE(plain.contains(kThere, 10'999));
  EXPECT_FALSE(plain.contains(kThere, 11'000));
}

TEST(NoGsoPeers, WhatASingleMessageMeetsAsWellWasNotAboutTrains) {
  NoGsoPeers plain;
  plain.add(kThere, EINVAL, 0);
  plain.on_single_refused(kThere, EPERM);
  EXPECT_TRUE(plain.contains(kThere, 1));
  plain.on_single_refused(kThere, EINVAL);
  EXPECT_FALSE(plain.contains(kThere, 1));
}

}  // namespace
}  // namespace chatd::test
