// Up to when all is read: what silence is judged by.
#include "server/shard/input_horizon.h"

#include <gtest/gtest.h>

namespace chatd::test {
namespace {

TEST(InputHorizon, IsTheLastLookWhenAllIsRead) {
  InputHorizon horizon;
  horizon.look(100, true);
  EXPECT_EQ(horizon.heard_until_ms(), 0u);
  horizon.end_turn(true);
  EXPECT_EQ(horizon.heard_until_ms(), 100u);
}

// An hour's pause anywhere in the turn: between the look and its end it changes nothing.
TEST(InputHorizon, StaysWhereItIsUntilWhatWasFoundIsRead) {
  InputHorizon horizon;
  horizon.look(100, true);
  horizon.end_turn(true);
  horizon.look(3'600'000, true);
  for (int turn = 0; turn < 100; ++turn) {
    horizon.end_turn(false);
    EXPECT_EQ(horizon.heard_until_ms(), 100u);
  }
  horizon.end_turn(true);
  EXPECT_EQ(horizon.heard_until_ms(), 3'600'000u);
}

TEST(InputHorizon, AnInterruptedLookIsNone) {
  InputHorizon horizon;
  horizon.look(3'600'000, false);
  horizon.end_turn(true);
  EXPECT_EQ(horizon.heard_until_ms(), 0u);
}

TEST(InputHorizon, AFloodDoesNotHoldItForEver) {
  InputHorizon horizon;
  for (TimeMs now_ms = 1'000; now_ms < 9'000; ++now_ms) {
    horizon.look(now_ms, true);
    horizon.end_turn(false);
    if (now_ms >= 2'000) {
      EXPECT_GE(horizon.heard_until_ms(), now_ms - 600);
    }
  }
  // A pause under a flood: what had come before it is all that may be counted on.
  horizon.look(3'600'000, true);
  horizon.end_turn(false);
  EXPECT_LT(horizon.heard_until_ms(), 9'000u);
}

}  // namespace
}  // namespace chatd::test
