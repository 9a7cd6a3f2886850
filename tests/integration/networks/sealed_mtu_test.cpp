// How large the bundles of protocol v2 become on real paths (core/room/mtu_search.h): as large as
// the path takes, never so large that anything is cut, and small again when the path shrinks,
// whether or not a router says so. Whatever happens, everything is heard, once and in order.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/networks/router_test.h"
#include "tests/integration/networks/sealed_room.h"
#include "tests/integration/networks/tun_network_test.h"
#include "tests/support/http.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// UDP payload.
constexpr std::size_t kSmall = 1200;
constexpr std::size_t kEthernet = 1452;
constexpr std::size_t kJumbo = 8952;
constexpr std::size_t kJumboMtu = 9000;
// To give a size up takes three seconds of losses, with sanitizers and neighbours longer.
constexpr std::chrono::milliseconds kShrinkPatience = 3 * kPatience;

class SealedGrowth : public CloudTest {
 protected:
  // Members on host 0, whose path is always good. One more is on host 1.
  static constexpr std::size_t kCrowd = 6;
  static constexpr int kTextsPerDatagram = 3;
  // No bundle is filled to the last byte by entries of this size: so a datagram of exactly a size
  // that is looked for is a probe.
  static constexpr std::size_t kTextBytes = 301;

  void open_sealed_room(std::size_t mtu_bytes, Family family = Family::k4,
                        const std::string& wildcard = "", std::vector<std::string> flags = {}) {
    family_ = family;
    build(2, mtu_bytes);
    flags.insert(flags.end(), {"--rate-limits", "off", "--host",
                               wildcard.empty() ? server_ip(family) : wildcard});
    flags.insert(flags.end(), {"--admin", "127.0.0.1:0"});
    ASSERT_NO_FATAL_FAILURE(start_server(std::move(flags)));
    admin_ = server().admin_place();
    room_ = std::make_unique<SealedRoom>(server(), host(0), server_ip(family));
    for (std::size_t i = 0; i < kCrowd; ++i) {
      ASSERT_TRUE(room_->enter(host(0), "m" + std::to_string(i)));
    }
    ASSERT_TRUE(room_->enter(host(1), "alone"));
  }

  // Everybody says something at once, the crowd as much as a datagram holds (a client has one under
  // way at a time), and everybody has heard it. chatd sleeps meanwhile: what waits for it goes out
  // in one turn.
  void burst() {
    ASSERT_EQ(::kill(server().pid(), SIGSTOP), 0);
    for (std::size_t talker = 0; talker < room_->talkers().size(); ++talker) {
      for (int i = 0; i < (talker < kCrowd ? kTextsPerDatagram : 1); ++i) {
        std::string text = std::to_string(next_++) + " ";
        text.resize(kTextBytes, 'x');
        ASSERT_TRUE(room_->say(talker, text));
      }
    }
    room_->run_for(std::chrono::milliseconds(1));
    ASSERT_EQ(::kill(server().pid(), SIGCONT), 0);
    ASSERT_TRUE(room_->settle());
  }

  // What a burst has sent to somebody's line.
  struct Sent {
    std::size_t largest_bundle = 0;
    bool has_probe = false;
    std::uint64_t fragments = 0;
  };
  Sent take_sent(TunNetwork::Line line) {
    const std::size_t header_bytes = family_ == Family::k4 ? 28 : 48;
    const TunNetwork::Sizes sizes = cloud().take_sizes(line);
    Sent sent{.fragments = sizes.fragments};
    for (const std::size_t packet_bytes : sizes.whole_bytes) {
      const std::size_t bytes = packet_bytes - header_bytes;
      if (bytes == kEthernet || bytes == kJumbo) {
        sent.has_probe = true;
      } else {
        sent.largest_bundle = std::max(sent.largest_bundle, bytes);
      }
    }
    return sent;
  }
  // Bursts, until one has sent what is wanted to this line.
  testing::AssertionResult talk_until(TunNetwork::Line line,
                                      const std::function<bool(const Sent&)>& is_wanted,
                                      Deadline deadline = kPatience) {
    Sent sent;
    do {
      take_sent(line);
      burst();
      if (HasFatalFailure()) return testing::AssertionFailure();
      sent = take_sent(line);
      if (is_wanted(sent)) return testing::AssertionSuccess();
    } while (!deadline.passed());
    return testing::AssertionFailure()
           << "the last burst's largest bundle: " << sent.largest_bundle;
  }
  testing::AssertionResult grows_beyond(std::size_t bytes, TunNetwork::Line line) {
    return talk_until(line, [bytes](const Sent& sent) { return sent.largest_bundle > bytes; });
  }
  // Five bursts in turn have nothing larger than this, nor is it asked for, and nothing was lost,
  // by which the server's own kernel may have made them small.
  testing::AssertionResult stays_within(std::size_t bytes, TunNetwork::Line line) {
    const std::uint64_t repaired_before = entries_repaired();
    for (int i = 0; i < 5; ++i) {
      take_sent(line);
      burst();
      if (HasFatalFailure()) return testing::AssertionFailure();
      const Sent sent = take_sent(line);
      const std::uint64_t repaired = entries_repaired() - repaired_before;
      if (sent.largest_bundle > bytes || sent.has_probe || repaired > 0) {
        return testing::AssertionFailure()
               << "a bundle of " << sent.largest_bundle << (sent.has_probe ? ", a probe" : "")
               << ", and " << repaired << " repaired";
      }
    }
    return testing::AssertionSuccess();
  }
  testing::AssertionResult shrinks_to(std::size_t bytes, TunNetwork::Line line) {
    const Deadline deadline = kShrinkPatience;
    testing::AssertionResult has_shrunk = stays_within(bytes, line);
    while (!has_shrunk && !HasFatalFailure() && !deadline.passed()) {
      has_shrunk = stays_within(bytes, line);
    }
    return has_shrunk;
  }
  // So far, as the server tells it.
  std::uint64_t entries_repaired() {
    const Inside inside(server_network());
    std::istringstream metrics(http_get(admin_, "/metrics").body);
    std::optional<double> sum;
    for (std::string line; std::getline(metrics, line);) {
      if (!line.starts_with("chatd_entries_sent_total{")) continue;
      if (line.find("asked_for") == std::string::npos) continue;
      sum = sum.value_or(0) + std::stod(line.substr(line.rfind(' ')));
    }
    EXPECT_TRUE(sum);
    return static_cast<std::uint64_t>(sum.value_or(0));
  }

  Family family_ = Family::k4;
  std::unique_ptr<SealedRoom> room_;

 private:
  std::string admin_;
  int next_ = 0;
};

struct Growth {
  const char* name;
  Family family;
  std::size_t mtu_bytes;
  const char* host;  // "" for the server's own address
  const char* mtu_flag;
  std::size_t before;  // bundles become larger than this …
  std::size_t most;    // … and no larger than this
};
void PrintTo(const Growth& way, std::ostream* out) {
  *out << way.name;
}

class SealedGrowthOf : public SealedGrowth, public testing::WithParamInterface<Growth> {};

// An IPv6 socket cuts whatever is larger than the MTU that it is told (--mtu, which is 1,280 unless
// the operator knows better), so a larger bundle would leave in fragments, and a probe by another
// socket would prove nothing about it. So over IPv6 bundles grow to --mtu only.
INSTANTIATE_TEST_SUITE_P(
    All, SealedGrowthOf,
    testing::Values(
        Growth{"Jumbo4", Family::k4, kJumboMtu, "", "1280", kEthernet, kJumbo},
        Growth{"Jumbo4OnAnyAddress", Family::k4, kJumboMtu, "0.0.0.0", "1280", kEthernet, kJumbo},
        Growth{"Jumbo4OnBothFamilies", Family::k4, kJumboMtu, "::", "1280", kEthernet, kJumbo},
        Growth{"Ethernet4", Family::k4, 1500, "", "1280", kSmall, kEthernet},
        Growth{"Ethernet6", Family::k6, 1500, "", "1500", kSmall, kEthernet},
        Growth{"Jumbo6OnAnyAddress", Family::k6, kJumboMtu, "::", "9000", kEthernet, kJumbo}),
    [](const auto& way) { return way.param.name; });

TEST_P(SealedGrowthOf, BundlesBecomeAsLargeAsThePathTakes) {
  const Growth& way = GetParam();
  ASSERT_NO_FATAL_FAILURE(
      open_sealed_room(way.mtu_bytes, way.family, way.host, {"--mtu", way.mtu_flag}));
  EXPECT_TRUE(grows_beyond(way.before, line(0)));
  EXPECT_TRUE(grows_beyond(way.before, line(1)));
  for (int i = 0; i < 5; ++i) ASSERT_NO_FATAL_FAILURE(burst());
  for (const std::size_t member : {0U, 1U}) {
    const Sent sent = take_sent(line(member));
    EXPECT_LE(sent.largest_bundle, way.most);
    EXPECT_EQ(sent.fragments, 0u);
    EXPECT_EQ(host(member).too_large().fragments_received, 0u);
  }
  EXPECT_TRUE(room_->is_complete());
  EXPECT_EQ(server_network().too_large().fragments_made, 0u);
  const Counters counted = totals();
  EXPECT_EQ(counted["mtu_probes_answered"], (kCrowd + 1) * (way.most == kJumbo ? 2 : 1))
      << counted.to_string();
  EXPECT_EQ(counted["entries_repaired"], 0u);
  EXPECT_EQ(counted["bundles_dropped"], 0u);
}

// See above.
TEST_F(SealedGrowth, Ipv6StaysSmallWhereTheOperatorSaysNothing) {
  ASSERT_NO_FATAL_FAILURE(open_sealed_room(1500, Family::k6));
  EXPECT_TRUE(stays_within(kSmall, line(0)));
  EXPECT_TRUE(room_->is_complete());
  EXPECT_EQ(server_network().too_large().fragments_made, 0u);
  EXPECT_EQ(totals()["mtu_probes_sent"], 0u);
}

// Nobody is told what became of what is too large.
class SealedBlackHole : public SealedGrowth, public testing::WithParamInterface<Family> {};
INSTANTIATE_TEST_SUITE_P(Both, SealedBlackHole, testing::Values(Family::k4, Family::k6),
                         family_name);

TEST_P(SealedBlackHole, APathThatShrinksSilentlyCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(open_sealed_room(kJumboMtu, GetParam(), "", {"--mtu", "9000"}));
  ASSERT_TRUE(grows_beyond(kEthernet, line(0)));
  ASSERT_TRUE(grows_beyond(kEthernet, line(1)));
  cloud().set(line(1), Way::kToHost, {.max_packet_bytes = 1280});
  EXPECT_TRUE(shrinks_to(kSmall, line(1)));
  EXPECT_GT(cloud().traffic(line(1), Way::kToHost).lost, 0u);
  EXPECT_TRUE(grows_beyond(kEthernet, line(0)));  // that is the other path's affair
  EXPECT_TRUE(room_->is_complete());
  const Counters counted = totals();
  EXPECT_GE(counted["mtu_probes_sent"], counted["mtu_probes_answered"] + 3) << counted.to_string();
  EXPECT_GT(counted["entries_repaired"], 0u);
}

// A member behind a router that is the kernel's own:
//
//   server ── cloud ── router ── "far"
//
// So what the server sends can be seen, and the router says what is too large for it.
class SealedRouter : public SealedGrowth {
 protected:
  static constexpr const char* kFarIp = "10.8.0.1";

  void open_room_across(std::size_t far_mtu_bytes) {
    ASSERT_NO_FATAL_FAILURE(open_sealed_room(kJumboMtu));
    router_.emplace();
    far_.emplace();
    far_line_ = cloud().connect(*router_, {"10.9.0.254/24"}, kJumboMtu);
    cloud().add_behind(far_line_, kFarIp);
    lay_cable(*router_, "eth1", *far_, "eth0");
    router_->add_addresses("eth1", {"10.8.0.254/24"});
    far_->add_addresses("eth0", {std::string(kFarIp) + "/24"});
    set_far_mtu(far_mtu_bytes);
    router_->set_sysctl("net/ipv4/ip_forward", "1");
    far_->ip({"route add default via 10.8.0.254"});
    server_network().ip({"route add 10.8.0.0/24 via 10.9.0.254"});
    ASSERT_TRUE(room_->enter(*far_, "far"));
  }
  void set_far_mtu(std::size_t bytes) {
    router_->ip({"link set dev eth1 mtu " + std::to_string(bytes)});
    far_->ip({"link set dev eth0 mtu " + std::to_string(bytes)});
  }
  void expect_nothing_was_cut() {
    EXPECT_EQ(server_network().too_large().fragments_made, 0u);
    EXPECT_EQ(router_->too_large().fragments_made, 0u);
    EXPECT_EQ(far_->too_large().fragments_received, 0u);
  }

  std::optional<NetworkNamespace> router_;
  std::optional<NetworkNamespace> far_;
  TunNetwork::Line far_line_ = 0;
};

// The server's own link takes 9,000, the member's 1,500. The probe that is too large leaves the
// server, and must not be cut by the router: it would arrive.
TEST_F(SealedRouter, AProbeThatIsTooLargeOnItsWayIsNotCut) {
  ASSERT_NO_FATAL_FAILURE(open_room_across(1500));
  EXPECT_TRUE(talk_until(far_line_, [this](const Sent& sent) {
    return sent.largest_bundle > kSmall && router_->too_large().refused > 0;
  }));
  for (int i = 0; i < 5; ++i) {
    ASSERT_NO_FATAL_FAILURE(burst());
    EXPECT_LE(take_sent(far_line_).largest_bundle, kEthernet);
  }
  expect_nothing_was_cut();
  EXPECT_TRUE(room_->is_complete());
  const std::uint64_t refused = router_->too_large().refused;
  const Counters counted = totals();
  EXPECT_EQ(counted["mtu_probes_sent"] - counted["mtu_probes_answered"], refused)
      << counted.to_string();
  EXPECT_EQ(counted["entries_repaired"], 0u);
  EXPECT_EQ(counted["bundles_dropped"], 0u);
}

// The router says what it takes from then on, so that the server's own kernel refuses what is
// larger.
TEST_F(SealedRouter, APathThatShrinksAndSaysSoCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(open_room_across(kJumboMtu));
  ASSERT_TRUE(grows_beyond(kEthernet, far_line_));
  set_far_mtu(1280);
  ASSERT_TRUE(
      talk_until(far_line_, [this](const Sent&) { return router_->too_large().refused > 0; }));
  EXPECT_TRUE(shrinks_to(kSmall, far_line_));
  EXPECT_TRUE(room_->is_complete());
  expect_nothing_was_cut();
  const Counters counted = totals();
  EXPECT_GE(counted["mtu_probes_sent"], counted["mtu_probes_answered"] + 3) << counted.to_string();
}

// A link that takes 1,280 bytes, as IPv6 promises. No entry has to be cut for it, or to be sent
// again smaller, so it does not matter whether its router's words come back. Only what asks for
// more does not pass.
class SealedMtu : public RouterTest {};

INSTANTIATE_TEST_SUITE_P(Both, SealedMtu, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(SealedMtu, ASmallLinkTakesEverythingUncut) {
  router().ip({"link set dev eth1 mtu 1280"});
  far_side().ip({"link set dev eth0 mtu 1280"});
  ASSERT_NO_FATAL_FAILURE(start_in(server_side(), {"--host", at().server}));
  SealedRoom room(server(), server_side());
  ASSERT_TRUE(room.enter(server_side(), "near"));
  ASSERT_TRUE(room.enter(far_side(), "far"));
  for (const std::size_t size_bytes : {1'100U, 10U, 600U, 1'099U}) {
    for (int i = 0; i < 20; ++i) {
      const std::string text = std::to_string(i) + std::string(size_bytes - 2, 'x');
      ASSERT_TRUE(room.say(static_cast<std::size_t>(i % 2), text));
    }
    EXPECT_TRUE(room.settle());
  }
  EXPECT_TRUE(room.is_complete());
  EXPECT_EQ(server_side().too_large().fragments_made, 0u);
  EXPECT_EQ(router().too_large().fragments_made, 0u);
  EXPECT_EQ(far_side().too_large().fragments_received, 0u);
  const std::uint64_t refused = router().too_large().refused;
  // So the look is a look: what does not fit is cut for IPv4, by whoever knows that it does not,
  // and refused for IPv6.
  {
    const Inside inside(server_side());
    UdpPeer peer(at().near);
    peer.send(SocketAddress(at().far, 9), std::string(1'400, 'x'));
  }
  EXPECT_TRUE(wait_until([&] {
    const NetworkNamespace::TooLarge now = router().too_large();
    const std::uint64_t made = now.fragments_made + server_side().too_large().fragments_made;
    return is_v4() ? made > 0 : now.refused > refused;
  }));
  const Counters counted = totals();
  EXPECT_LE(refused, counted["mtu_probes_sent"] - counted["mtu_probes_answered"]);
  EXPECT_EQ(counted["entries_repaired"], 0u);
}

}  // namespace
}  // namespace chatd::test
