// How a session ends that its member has not ended: each is told why, if there is somebody who
// knows.
#include <gtest/gtest.h>

#include "client/lib/log_session.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

TEST(LogSessionEnd, AServerThatDoesNotKnowTheSessionSaysSo) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  EXPECT_TRUE(world.relay->kick(world.now_ms, "kitchen", "bob", world.out));
  world.out.clear();  // the farewell is lost
  bob.session->say(world.now_ms, "is anybody there?");
  world.run_for(5'000);
  EXPECT_TRUE(bob.session->is_over());
  EXPECT_EQ(bob.events.back().kind, LogEvent::Kind::kUnknown);
  EXPECT_GE(world.count(Counter::kResetsSent), 1u);
  EXPECT_FALSE(alice.session->is_over());
}

TEST(LogSessionEnd, WhoIsRemovedIsToldWhy) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  SealedMember& carol = world.join("kitchen", "carol");
  world.run_for(500);
  world.relay->kick(world.now_ms, "kitchen", "bob", world.out);
  world.run_for(500);
  EXPECT_EQ(bob.events.back().kind, LogEvent::Kind::kClosed);
  EXPECT_EQ(bob.events.back().close_reason, v2::CloseReason::kRemoved);
  world.say(carol, "one more word");
  world.run_for(5);  // it is on its way when the room ends
  alice.session->leave();
  world.run_for(500);
  EXPECT_EQ(carol.events.back().kind, LogEvent::Kind::kClosed);
  EXPECT_EQ(carol.events.back().close_reason, v2::CloseReason::kRoomClosed);
  EXPECT_EQ(world.relay->roster().members().size(), 0u);
}

// Its room has ended, and that is still to be said: a reset would come before it, and who got that
// would ask for its seat until it is ended.
TEST(LogSessionEnd, WhoSpeaksWhileItsRoomEndsIsToldWhyAndNotThatItIsUnknown) {
  LogWorld world;
  SealedMember& alice = world.create("kitchen", "alice");
  SealedMember& bob = world.join("kitchen", "bob");
  world.run_for(500);
  alice.session->leave();
  bob.session->say(world.now_ms, "too late");
  for (SealedMember* member : {&alice, &bob}) {
    const auto datagram = member->session->next_datagram(world.now_ms);
    ASSERT_TRUE(datagram.has_value());
    world.deliver(member->from, *datagram);
  }
  EXPECT_EQ(world.count(Counter::kDroppedUnknownSession), 1u);
  world.run_for(500);
  EXPECT_EQ(bob.events.back().kind, LogEvent::Kind::kClosed);
  EXPECT_EQ(bob.events.back().close_reason, v2::CloseReason::kRoomClosed);
  EXPECT_EQ(world.count(Counter::kResetsSent), 0u);
}

}  // namespace
}  // namespace chatd
