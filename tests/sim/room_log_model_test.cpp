// What the model of a room's log lets members be told, and what it does not.
#include "tests/sim/room_log_model.h"

#include <gtest/gtest.h>

#include <string_view>

namespace chatd::sim {
namespace {

LogEntry left(v2::MemberId member) {
  return LogEntry::of({.kind = v2::EntryKind::kLeft, .member = member, .bytes = "somebody"});
}

TEST(RoomLogModel, ANumberStandsForOneEntry) {
  RoomLogModel log(5);
  EXPECT_EQ(log.append(left(1)), 5u);
  EXPECT_EQ(log.head(), 6u);
  EXPECT_TRUE(log.is(5, left(1)));
  EXPECT_FALSE(log.is(5, left(2)));
  EXPECT_FALSE(log.is(4, left(1)));
  EXPECT_FALSE(log.is(6, left(1)));
}

TEST(RoomLogModel, WhoIsToldFirstSettlesAnOpenOrderForAll) {
  RoomLogModel log(1);
  log.append_in_any_order({left(1), left(2)});
  EXPECT_EQ(log.find(1), nullptr);
  EXPECT_FALSE(log.is(1, left(3)));
  EXPECT_TRUE(log.is(1, left(2)));
  EXPECT_FALSE(log.is(1, left(1)));
  EXPECT_FALSE(log.is(2, left(2))) << "it has its number already";
  EXPECT_TRUE(log.is(2, left(1)));
}

TEST(RoomLogModel, OfARoomThatHasEndedSomeMayBeMissing) {
  RoomLogModel log(1);
  log.append(left(1));
  log.append_some({left(2), left(3)});
  EXPECT_EQ(log.certain_head(), 2u);
  EXPECT_EQ(log.head(), 4u);
  EXPECT_TRUE(log.is(2, left(3)));
}

TEST(RoomLogModel, WhatARoomKeepsMayNotBeGone) {
  RoomLogModel log(1);
  log.keep(/*entries=*/2, /*bytes=*/1 << 20);
  for (v2::MemberId member = 1; member <= 3; ++member) log.append(left(member));
  EXPECT_TRUE(log.may_be_gone(1));
  EXPECT_FALSE(log.may_be_gone(2));
  log.keep(/*entries=*/10, /*bytes=*/1000);
  EXPECT_TRUE(log.may_be_gone(2)) << "two blocks of the store, and as much for each that followed";
}

}  // namespace
}  // namespace chatd::sim
