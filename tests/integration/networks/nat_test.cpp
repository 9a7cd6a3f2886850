// Members behind a router that translates addresses. What they know of their own address is of no
// use to chatd; what counts is where their datagrams come from.
#include "tests/integration/networks/tun_network_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr const char* kPrivateIp = "192.168.7.2";
constexpr const char* kPublicIp = "10.9.0.77";
constexpr int kMessages = 50;

// Members with addresses of their own (m0, …), and a home network behind a router, with bob.
class BehindNat : public CloudTest {
 protected:
  void open_room(std::vector<std::string> flags = {}, std::size_t others = 1) {
    others_ = others;
    build(others);
    home_ = std::make_unique<NetworkNamespace>();
    home_line_ = cloud().connect(*home_, {std::string(kPrivateIp) + "/24"});
    home_->ip({"route add default dev cloud"});
    cloud().translate(home_line_, kPrivateIp, kPublicIp);
    flags.insert(flags.end(), {"--host", server_ip(Family::k4)});
    ASSERT_NO_FATAL_FAILURE(start_server(std::move(flags)));
    for (std::size_t i = 0; i < others; ++i) {
      ASSERT_TRUE(enter(host(i), host_ip(Family::k4, i), "m" + std::to_string(i)));
    }
  }

  Member& m0() { return room()[0]; }
  Member& bob() { return room()[others_]; }
  bool enter_from_home(const std::string& name, const JoinOptions& options = {}) {
    return enter(*home_, kPrivateIp, name, options);
  }

  // Datagrams that have come out of the router on the home's side, and those that it had nobody
  // for.
  Traffic to_home() { return cloud().traffic(home_line_, Way::kToHost); }
  void rebind() { cloud().rebind(home_line_); }

  void expect_they_hear_each_other() {
    for (int i = 0; i < kMessages; ++i) {
      ASSERT_TRUE(bob().hears(m0().say("out " + std::to_string(i))));
      ASSERT_TRUE(m0().hears(bob().say("in " + std::to_string(i))));
    }
  }

 private:
  std::unique_ptr<NetworkNamespace> home_;
  TunNetwork::Line home_line_ = 0;
  std::size_t others_ = 0;
};

TEST_F(BehindNat, APrivateAddressIsPendingUntilTheFirstDatagram) {
  ASSERT_NO_FATAL_FAILURE(open_room({}, 2));
  ASSERT_TRUE(enter_from_home("bob"));  // says 192.168.7.2 and its port there
  for (int i = 0; i < kMessages; ++i) ASSERT_TRUE(room()[1].hears(m0().say("too early")));
  EXPECT_EQ(to_home().entered, 0U);

  bob().heartbeat();
  ASSERT_TRUE(m0().hears(bob().say("it is me")));
  ASSERT_NO_FATAL_FAILURE(expect_they_hear_each_other());
  EXPECT_EQ(to_home().lost, 0U);
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_pending_member"], std::uint64_t{kMessages});
  EXPECT_EQ(counted.sum_of("dropped_"), std::uint64_t{kMessages}) << counted.to_string();
}

TEST_F(BehindNat, AnOpenAddressAndAnUnknownPortAreEnough) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  ASSERT_TRUE(enter_from_home("bob", {.stated_ip = "", .stated_port = 0}));
  ASSERT_TRUE(m0().hears(bob().say("it is me")));
  ASSERT_NO_FATAL_FAILURE(expect_they_hear_each_other());
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

TEST_F(BehindNat, TwoMembersOfOneHomeAreToldApart) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  ASSERT_TRUE(enter_from_home("bob"));
  ASSERT_TRUE(m0().hears(bob().say("it is me")));
  ASSERT_TRUE(enter_from_home("carol"));
  Member& carol = room()[2];
  const std::string said = carol.say("and me");
  ASSERT_TRUE(m0().hears(said));
  ASSERT_TRUE(bob().hears(said));
  for (int i = 0; i < kMessages; ++i) {
    const std::string by_bob = bob().say("bob " + std::to_string(i));
    ASSERT_TRUE(m0().hears(by_bob));
    ASSERT_TRUE(carol.hears(by_bob));
    const std::string by_m0 = m0().say("m0 " + std::to_string(i));
    ASSERT_TRUE(bob().hears(by_m0));
    ASSERT_TRUE(carol.hears(by_m0));
  }
  EXPECT_TRUE(all_is_heard(room()));
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

// The router has forgotten bob's port and gives him another. Without roaming he is a stranger
// there, and what is said to him goes to the old port, where nobody is.
TEST_F(BehindNat, WhoIsReboundIsAStrangerWithoutRoaming) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  ASSERT_TRUE(enter_from_home("bob"));
  ASSERT_TRUE(m0().hears(bob().say("it is me")));
  ASSERT_NO_FATAL_FAILURE(expect_they_hear_each_other());
  rebind();
  bob().say("from a new port");
  EXPECT_EQ(bob().hear(), kNotAuthenticated);
  const std::uint64_t lost_before = to_home().lost;
  for (int i = 0; i < kMessages; ++i) m0().say("to the old port");
  ASSERT_TRUE(wait_until([&] { return to_home().lost - lost_before == kMessages; }));
  EXPECT_FALSE(bob().socket().try_receive());
  EXPECT_FALSE(m0().socket().try_receive());
  EXPECT_EQ(totals()["dropped_wrong_address"], 1U);
}

TEST_F(BehindNat, WhoIsReboundMovesWithRoaming) {
  ASSERT_NO_FATAL_FAILURE(open_room({"--roaming", "same-ip"}));
  ASSERT_TRUE(enter_from_home("bob"));
  ASSERT_TRUE(m0().hears(bob().say("it is me")));
  for (int round = 1; round <= 3; ++round) {
    SCOPED_TRACE(round);
    ASSERT_NO_FATAL_FAILURE(expect_they_hear_each_other());
    rebind();
    const std::uint64_t lost_before = to_home().lost;
    for (int i = 0; i < kMessages; ++i) m0().say("to the old port");
    ASSERT_TRUE(wait_until([&] { return to_home().lost - lost_before == kMessages; }));
    ASSERT_TRUE(m0().hears(bob().say("from a new port")));
  }
  ASSERT_NO_FATAL_FAILURE(expect_they_hear_each_other());
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

}  // namespace
}  // namespace chatd::test
