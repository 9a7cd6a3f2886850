// Members to whom there is no way for a while: the kernel refuses to send, or a router says that it
// cannot. What they miss is counted, the others miss nothing, and when the way is back they hear
// again.
#include <sys/socket.h>

#include "tests/integration/networks/router_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kRoutedMessages = 50;

class Routes : public RouterTest {
 protected:
  // near says so many messages, which near too hears. Those who cannot hear miss them.
  void speak_to_the_near() {
    std::vector<std::string> said;
    for (int i = 0; i < kRoutedMessages; ++i) said.push_back(room()[0].say(std::to_string(i)));
    for (const std::string& each : said) ASSERT_TRUE(room()[1].hears(each));
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Routes, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(Routes, WithoutARouteMessagesAreCountedAsUnreachable) {
  struct Case {
    const char* kind;
    const char* counter;
  };
  const std::vector<Case> cases{{"unreachable", "dropped_send_unreachable"},
                                {"prohibit", "dropped_send_failed"},
                                {"blackhole", "dropped_send_failed"}};
  for (const auto& [kind, counter] : cases) {
    SCOPED_TRACE(kind);
    room().clear();
    ASSERT_NO_FATAL_FAILURE(open_room());
    const std::string route = std::string(kind) + " " + at().far;
    server_side().ip({"route add " + route});
    ASSERT_NO_FATAL_FAILURE(speak_to_the_near());
    // far too is told everything, far nothing.
    EXPECT_EQ(hear_messages(room()[3], kRoutedMessages).size(), std::size_t{kRoutedMessages});
    server_side().ip({"route del " + route});
    EXPECT_TRUE(all_is_heard(room()));
    const Counters counted = totals();
    EXPECT_EQ(counted[counter], std::uint64_t{kRoutedMessages}) << counted.to_string();
    EXPECT_EQ(counted.sum_of("dropped_"), std::uint64_t{kRoutedMessages}) << counted.to_string();
  }
}

// The router says that it cannot pass on what has left chatd already (ICMP unreachable). Such an
// error shows at a later send, whomever that is for, and must not cost them anything.
TEST_P(Routes, ARoutersComplaintIsNotTakenForAnothersFault) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  router().ip({"route add unreachable " + at().far});
  for (int i = 0; i < kRoutedMessages; ++i) {
    const std::string said = room()[0].say(std::to_string(i));
    ASSERT_TRUE(room()[1].hears(said));
    ASSERT_TRUE(room()[3].hears(said));
  }
  router().ip({"route del unreachable " + at().far});
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
  EXPECT_EQ(counted["members_refused"], 0U);
}

// A server with two cables, one of which is out for a while.
class Cables : public NetworksTest, public testing::WithParamInterface<Family> {
 protected:
  // The server's address (1) or a host's on a cable.
  static std::string ip(int cable, int host) {
    const std::string prefix = GetParam() == Family::k4 ? "10." : "fd0";
    const std::string infix = GetParam() == Family::k4 ? ".0." : "::";
    return prefix + std::to_string(cable) + infix + std::to_string(host);
  }

  void connect(int cable, const NetworkNamespace& network) {
    const std::string device = "eth" + std::to_string(cable);
    const std::string prefix = GetParam() == Family::k4 ? "/24" : "/64";
    lay_cable(*server_, device, network, "eth0");
    server_->add_addresses(device, {ip(cable, 1) + prefix});
    network.add_addresses("eth0", {ip(cable, 2) + prefix});
  }

  // One byte to there from any address of `network`, if it has a way.
  static void send_if_possible(const NetworkNamespace& network, const SocketAddress& to) {
    const Inside inside(network);
    const UniqueFd socket(::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    (void)::sendto(socket.get(), "?", 1, MSG_DONTWAIT, to.get(), to.size());
  }

  std::optional<NetworkNamespace> server_;
};

INSTANTIATE_TEST_SUITE_P(Both, Cables, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(Cables, ALinkThatIsDownCostsThoseBehindItAlone) {
  server_.emplace();
  server_->set_sysctl("net/ipv6/conf/all/keep_addr_on_down", "1");
  server_->set_sysctl("net/ipv6/conf/default/keep_addr_on_down", "1");
  const NetworkNamespace first;
  const NetworkNamespace second;
  connect(1, first);
  connect(2, second);
  ASSERT_NO_FATAL_FAILURE(
      start_in(*server_, {"--host", GetParam() == Family::k4 ? "0.0.0.0" : "::"}));
  ASSERT_TRUE(enter(first, ip(1, 2), "alice", {.server_ip = ip(1, 1)}));
  ASSERT_TRUE(enter(first, ip(1, 2), "bob", {.server_ip = ip(1, 1)}));
  ASSERT_TRUE(enter(second, ip(2, 2), "carol", {.server_ip = ip(2, 1)}));

  server_->ip({"link set dev eth2 down"});
  std::vector<std::string> said;
  for (int i = 0; i < kRoutedMessages; ++i) said.push_back(room()[0].say(std::to_string(i)));
  for (const std::string& each : said) ASSERT_TRUE(room()[1].hears(each));
  {
    // Who answers this has tried to send to carol as well.
    const Inside inside(first);
    EXPECT_TRUE(TcpPeer(server().tcp_at(ip(1, 1))).request(list_request()).completed);
  }
  server_->ip({"link set dev eth2 up"});

  // Address, route and neighbour are back some moments after the device.
  UdpPeer probe = [&] {
    const Inside inside(second);
    return UdpPeer(ip(2, 2));
  }();
  ASSERT_TRUE(wait_until([&] {
    send_if_possible(*server_, probe.address());
    const auto arrived = probe.try_receive();
    return arrived && arrived->from.ip() == ip(2, 1);
  }));
  for (int i = 0; i < kRoutedMessages; ++i) {
    const std::string again = room()[0].say("again " + std::to_string(i));
    ASSERT_TRUE(room()[1].hears(again));
    ASSERT_TRUE(room()[2].hears(again));
  }
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_send_unreachable"], std::uint64_t{kRoutedMessages})
      << counted.to_string();
  EXPECT_EQ(counted.sum_of("dropped_"), std::uint64_t{kRoutedMessages}) << counted.to_string();
}

}  // namespace
}  // namespace chatd::test
