// A link with an MTU of 1,280 in the middle, behind a router that is the kernel's own: what leaves
// chatd's machine in one piece does not fit there. Messages of any size reach those behind it.
#include "tests/networks/networks_test.h"

namespace chatd::test {
namespace {

struct Addresses {
  std::string server;
  std::string near;  // on the server's side
  std::string far;   // behind the router
  std::string far_too;
  std::string inner;  // the router's, towards the server and towards the far ones
  std::string outer;
  std::string prefix;
};

const Addresses kAddresses4{.server = "10.1.0.1",
                            .near = "10.1.0.2",
                            .far = "10.2.0.1",
                            .far_too = "10.2.0.2",
                            .inner = "10.1.0.254",
                            .outer = "10.2.0.254",
                            .prefix = "/24"};
const Addresses kAddresses6{.server = "fd01::1",
                            .near = "fd01::2",
                            .far = "fd02::1",
                            .far_too = "fd02::2",
                            .inner = "fd01::ff",
                            .outer = "fd02::ff",
                            .prefix = "/64"};

class Mtu : public NetworksTest, public testing::WithParamInterface<Family> {
 protected:
  bool is_v4() const { return GetParam() == Family::k4; }
  const Addresses& at() const { return is_v4() ? kAddresses4 : kAddresses6; }

  std::string add_address(const std::string& address, const std::string& device) const {
    return "addr add " + address + at().prefix + " dev " + device + (is_v4() ? "" : " nodad");
  }

  //   server and near ── 1,500 ── router ── 1,280 ── far and far too
  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    network_.emplace();
    router_.emplace();
    far_.emplace();
    lay_cable(*network_, "eth0", *router_, "eth0");
    lay_cable(*router_, "eth1", *far_, "eth0");
    network_->ip({add_address(at().server, "eth0"), add_address(at().near, "eth0"),
                  "route add default via " + at().inner});
    router_->ip({add_address(at().inner, "eth0"), add_address(at().outer, "eth1"),
                 "link set dev eth1 mtu 1280"});
    router_->set_sysctl(is_v4() ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", "1");
    far_->ip({"link set dev eth0 mtu 1280", add_address(at().far, "eth0"),
              add_address(at().far_too, "eth0"), "route add default via " + at().outer});
  }

  void open_room(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> all_flags{"--host", at().server};
    all_flags.insert(all_flags.end(), flags.begin(), flags.end());
    ASSERT_NO_FATAL_FAILURE(start_in(*network_, all_flags));
    ASSERT_TRUE(enter(*network_, at().near, "near"));
    ASSERT_TRUE(enter(*network_, at().near, "near too"));
    ASSERT_TRUE(enter(*far_, at().far, "far"));
    ASSERT_TRUE(enter(*far_, at().far_too, "far too"));
  }

  // Everybody says so many texts of this size in a burst; everybody hears all of the others'.
  void expect_all_arrives(int count, std::size_t size_bytes) {
    SCOPED_TRACE(testing::Message() << "texts of " << size_bytes << " bytes");
    everyone_speaks(room(), count, size_bytes);
    const std::size_t others = room().size() - 1;
    for (Member& listener : room()) {
      const Messages heard =
          hear_messages(listener, others * static_cast<std::size_t>(count), size_bytes);
      EXPECT_TRUE(are_in_order(heard)) << listener.name();
    }
  }

  // Texts of this size until the far ones hear some: the first ones teach the kernel of the path,
  // and are lost. Who is near misses nothing meanwhile. Afterwards nobody has anything left to
  // hear.
  void say_until_the_path_is_known(std::size_t size_bytes) {
    Member& speaker = room()[0];
    for (const std::size_t listener : {2U, 3U}) {
      std::optional<std::string> heard;
      for (int i = 0; i < 200 && !heard; ++i) {
        const std::string said = speaker.say(std::string(size_bytes, 'x'));
        ASSERT_TRUE(room()[1].hears(said));
        heard = room()[listener].hear(std::chrono::milliseconds(20));
      }
      ASSERT_TRUE(heard) << room()[listener].name();
    }
    const std::string last = speaker.say("known");
    ASSERT_TRUE(room()[1].hears(last));
    for (const std::size_t listener : {2U, 3U}) {
      std::optional<std::string> heard;
      while (heard != last) {
        heard = room()[listener].hear();
        ASSERT_TRUE(heard) << room()[listener].name();
      }
    }
  }

  std::optional<NetworkNamespace> network_;
  std::optional<NetworkNamespace> router_;
  std::optional<NetworkNamespace> far_;
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
