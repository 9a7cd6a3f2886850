// Neighbours that no longer answer hold what is sent to them in the kernel, and fill the send
// buffer that everybody shares: nobody else may notice.
#include <chrono>
#include <cstdlib>
#include <ostream>
#include <thread>

#include "tests/integration/networks/networks_test.h"

namespace chatd::test {
namespace {

struct StuckServer {
  const char* name;
  const char* host;
  Family family;  // of its members
};
void PrintTo(const StuckServer& server, std::ostream* out) {
  *out << server.name;
}

class StuckPath : public NetworksTest, public testing::WithParamInterface<StuckServer> {
 protected:
  static std::string ip(int cable, int host) {
    const bool is_v4 = GetParam().family == Family::k4;
    return (is_v4 ? "10." : "fd0") + std::to_string(cable) + (is_v4 ? ".0." : "::") +
           std::to_string(host);
  }

  void connect(int cable, const NetworkNamespace& network, int hosts) {
    const std::string prefix = GetParam().family == Family::k4 ? "/24" : "/64";
    const std::string device = "eth" + std::to_string(cable);
    lay_cable(*server_, device, network, "eth0");
    server_->add_addresses(device, {ip(cable, 1) + prefix});
    std::vector<std::string> addresses;
    for (int host = 2; host < 2 + hosts; ++host) addresses.push_back(ip(cable, host) + prefix);
    network.add_addresses("eth0", addresses);
  }

  void say_a_lot(Member& sender, int count) {
    for (int i = 0; i < count; ++i) sender.say(std::string(1000, 'x'));
  }

  // The test has been one, and each delivery has ended once.
  void expect_full_socket_and_closed_ledger(std::uint64_t planned) {
    const Counters counted = totals();
    EXPECT_GT(counted["sends_postponed"], 0U) << "the shared socket was never full";
    EXPECT_EQ(counted["deliveries_planned"], planned) << counted.to_string();
    EXPECT_EQ(counted["deliveries_sent"] + counted["dropped_queue_full"] +
                  counted.sum_of("dropped_send_"),
              counted["deliveries_planned"])
        << counted.to_string();
  }

  // A room with one sender nearby and its listeners at addresses far away, and another room
  // nearby.
  void meet(int far_hosts, const char* send_buffer) {
    stay_on_one_processor();
    connect(1, *far_, far_hosts);
    connect(2, *near_, 2);
    ASSERT_NO_FATAL_FAILURE(start_in(*server_, {"--host", GetParam().host, "--rate-limits", "off",
                                                "--send-buffer", send_buffer}));
    ASSERT_TRUE(enter(*near_, ip(2, 2), "sender", {.server_ip = ip(2, 1)}));
    for (int i = 0; i < far_hosts; ++i) {
      ASSERT_TRUE(enter(*far_, ip(1, 2 + i), "far" + std::to_string(i), {.server_ip = ip(1, 1)}));
    }
    const Inside inside(*near_);
    const JoinOptions options{.source_ip = ip(2, 3), .server_ip = ip(2, 1)};
    others_ = make_room(server(), "other", {"alice", "bob"}, options);
    ASSERT_EQ(others_.size(), 2U);
  }

  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    server_.emplace();
    near_.emplace();
    far_.emplace();
  }

  std::optional<NetworkNamespace> server_;
  std::optional<NetworkNamespace> near_;
  std::optional<NetworkNamespace> far_;
  std::vector<Member> others_;
};

INSTANTIATE_TEST_SUITE_P(All, StuckPath,
                         testing::Values(StuckServer{"Ipv4", "0.0.0.0", Family::k4},
                                         StuckServer{"Ipv6", "::", Family::k6},
                                         StuckServer{"Ipv4OnBothFamilies", "::", Family::k4}),
                         [](const auto& server) { return server.param.name; });

TEST_P(StuckPath, HoldsUpNobodyElse) {
  constexpr int kStuck = 4;
  ASSERT_NO_FATAL_FAILURE(meet(kStuck, "128KiB"));
  far_->ip({"link set dev eth0 arp off", "addr flush dev eth0"});
  server_->ip({"neigh flush dev eth1"});

  Member& sender = room()[0];
  say_a_lot(sender, 500);
  std::uint64_t said = 500;
  for (int round = 0; round < 100; ++round) {
    say_a_lot(sender, 2);
    said += 2;
    ASSERT_TRUE(others_[1].hears(others_[0].say(std::to_string(round))));
  }
  ASSERT_TRUE(server().hand_over()) << server().diagnosis();
  for (int round = 0; round < 100; ++round) {
    say_a_lot(sender, 2);
    said += 2;
    ASSERT_TRUE(others_[1].hears(others_[0].say(std::to_string(round))));
  }
  expect_full_socket_and_closed_ledger(said * kStuck + 200);
}

// Nobody but the stuck one has been sent to for a second when somebody else speaks.
TEST_P(StuckPath, OfOneAloneHoldsUpNobodyQuiet) {
  ASSERT_NO_FATAL_FAILURE(meet(1, "64KiB"));  // less than a neighbour's queue takes
  far_->ip({"link set dev eth0 arp off", "addr flush dev eth0"});
  server_->ip({"neigh flush dev eth1"});

  constexpr auto kLongBeforeArpGivesUp = std::chrono::seconds(1);
  for (int round = 0; round < 3; ++round) {
    say_a_lot(room()[0], 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // others are forgotten
    say_a_lot(room()[0], 300);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the socket is full, then
    const std::string said = others_[0].say(std::to_string(round));
    ASSERT_EQ(others_[1].hear(kLongBeforeArpGivesUp), said) << round;
  }
  const Counters counted = totals();
  EXPECT_GT(counted["sends_postponed"], 0U) << "the shared socket was never full";
}

// What a slow device has in its long queue is on its way for seconds, too, and never comes back as
// an error.
TEST_P(StuckPath, BehindASlowDeviceHoldsUpNobodyElse) {
  constexpr int kSlow = 30;
  ASSERT_NO_FATAL_FAILURE(meet(kSlow, "208KiB"));
  Member& sender = room()[0];
  {
    const Inside inside(*server_);
    if (std::system("tc qdisc add dev eth1 root tbf rate 1mbit burst 10kb limit 20mb") != 0) {
      GTEST_SKIP() << "tc cannot slow down a device here";
    }
  }
  std::uint64_t said = 0;
  for (int round = 0; round < 500; ++round) {
    say_a_lot(sender, 2);
    said += 2;
    ASSERT_TRUE(others_[1].hears(others_[0].say(std::to_string(round)))) << round;
  }
  expect_full_socket_and_closed_ledger(said * kSlow + 500);
}

}  // namespace
}  // namespace chatd::test
