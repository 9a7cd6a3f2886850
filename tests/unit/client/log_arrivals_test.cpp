// Who comes into a large room, and goes: each of that is an entry for everybody, and several of
// them go out together.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

class LogArrivals : public testing::Test {
 protected:
  void fill(int size) {
    host_ = &world_.create("hall", "m0");
    while (std::ssize(world_.members) < size) {
      world_.join("hall", "m" + std::to_string(world_.members.size()));
    }
    ASSERT_TRUE(world_.settle()) << world_.why_not_settled();
    world_.run_for(8'000);
  }
  bool everybody_knows(std::size_t members) const {
    return std::all_of(world_.members.begin(), world_.members.end(), [&](const SealedMember& one) {
      return one.session->roster().size() == members;
    });
  }

  LogWorld world_{{.delay_ms = 1}};
  SealedMember* host_ = nullptr;
};

TEST_F(LogArrivals, InALargeRoomTheyWaitForEachOther) {
  fill(160);
  for (int i = 0; i < 5; ++i) {
    world_.join("hall", "late " + std::to_string(i));
    EXPECT_FALSE(world_.relay->has_waiting());
    world_.run_for(1);
  }
  EXPECT_FALSE(everybody_knows(165));
  world_.run_for(7);
  EXPECT_TRUE(everybody_knows(165)) << "160 members wait for 10 ms";
}

TEST_F(LogArrivals, WhatIsSaidDoesNotWait) {
  fill(160);
  world_.join("hall", "late");
  world_.say(*host_, "welcome");
  world_.run_for(3);
  EXPECT_TRUE(everybody_knows(161));
  EXPECT_EQ(world_.members[100].log().back(), "m0: welcome");
}

TEST_F(LogArrivals, InASmallRoomNothingWaits) {
  fill(20);
  world_.join("hall", "late");
  EXPECT_TRUE(world_.relay->has_waiting());
}

TEST_F(LogArrivals, WhatWaitsOutlivesAHandOver) {
  fill(160);
  world_.join("hall", "late");
  world_.hand_over();
  EXPECT_TRUE(world_.settle(500)) << world_.why_not_settled();
  EXPECT_TRUE(everybody_knows(161));
}

TEST_F(LogArrivals, ARoomThatEndsMeanwhileTellsItAll) {
  fill(160);
  world_.join("hall", "late");
  host_->session->leave();
  world_.run_for(20);
  for (SealedMember& one : world_.members) {
    EXPECT_EQ(one.count(LogEvent::Kind::kClosed), 1u) << one.name;
  }
  EXPECT_EQ(world_.members[100].log().back(), "m0 left");
}

}  // namespace
}  // namespace chatd
