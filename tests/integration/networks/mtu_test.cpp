// A link with an MTU of 1,280 in the middle, behind a router that is the kernel's own: what leaves
// chatd's machine in one piece does not fit there. Messages of any size reach those behind it.
#include "tests/integration/networks/router_test.h"

namespace chatd::test {
namespace {

class Mtu : public RouterTest {
 protected:
  void SetUp() override {
    RouterTest::SetUp();
    if (IsSkipped()) return;
    router().ip({"link set dev eth1 mtu 1280"});
    far_side().ip({"link set dev eth0 mtu 1280"});
  }

  // Texts of this size until the far ones hear some: the first ones teach the kernel of the path,
  // and are lost. Who is near misses nothing meanwhile. Afterwards nobody has anything left to
  // hear.
  void say_until_the_path_is_known(std::size_t size_bytes) {
    Member& sender = room()[0];
    for (const std::size_t listener : {2U, 3U}) {
      std::optional<std::string> heard;
      for (int i = 0; i < 200 && !heard; ++i) {
        const std::string said = sender.say(std::string(size_bytes, 'x'));
        ASSERT_TRUE(room()[1].hears(said));
        heard = room()[listener].hear(std::chrono::milliseconds(20));
      }
      ASSERT_TRUE(heard) << room()[listener].name();
    }
    const std::string last = sender.say("known");
    ASSERT_TRUE(room()[1].hears(last));
    for (const std::size_t listener : {2U, 3U}) {
      std::optional<std::string> heard;
      while (heard != last) {
        heard = room()[listener].hear();
        ASSERT_TRUE(heard) << room()[listener].name();
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Mtu, testing::Values(Family::k4, Family::k6), family_name);

// Large messages first: nobody has taught the kernel anything yet. Over IPv6, Linux does not cut a
// datagram that fits the first link, whatever the socket says, so those sizes have a test of their
// own.
TEST_P(Mtu, MessagesOfAllSizesArriveBeforeThePathIsKnown) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  const std::vector<std::size_t> sizes =
      is_v4() ? std::vector<std::size_t>{1300, 1420, 1500, 2000, 3900, 1200, 10}
              : std::vector<std::size_t>{1500, 2000, 3900, 1150, 10};
  for (const std::size_t size_bytes : sizes) {
    ASSERT_NO_FATAL_FAILURE(expect_all_arrives(20, size_bytes));
  }
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
  EXPECT_EQ(counted["train_fallbacks"], 0U);
}

// What --mtu says is not so: datagrams and trains that should fit do not. The kernel learns, trains
// are given up for those behind the small link, and from then on everything arrives.
TEST_P(Mtu, WhatIsLostWhereTheMtuIsStatedTooLargeTeachesTheKernel) {
  ASSERT_NO_FATAL_FAILURE(open_room({"--mtu", "1500"}));
  ASSERT_NO_FATAL_FAILURE(say_until_the_path_is_known(1300));
  ASSERT_NO_FATAL_FAILURE(expect_all_arrives(20, 1300));
  ASSERT_NO_FATAL_FAILURE(expect_all_arrives(20, 3000));
  ASSERT_NO_FATAL_FAILURE(expect_all_arrives(20, 100));
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

// A datagram that fits the first link but not the second: over IPv6 nobody but the sender may cut
// it, and Linux, as the sender, does so only when it knows.
TEST_P(Mtu, SizesThatOnlyTheFirstLinkTakesArriveOnceThePathIsKnown) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  ASSERT_NO_FATAL_FAILURE(say_until_the_path_is_known(1300));
  for (const std::size_t size_bytes : {1300U, 1390U, 1200U}) {
    ASSERT_NO_FATAL_FAILURE(expect_all_arrives(20, size_bytes));
  }
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

}  // namespace
}  // namespace chatd::test
