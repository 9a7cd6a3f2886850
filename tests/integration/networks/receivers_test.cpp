// Members that do not take what they are sent: one that has stopped reading, one whose port is
// closed. It is their own loss, and nobody else's.
#include <linux/sock_diag.h>

#include <array>

#include "tests/integration/networks/tun_network_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kMessagesEach = 150;
constexpr int kSmallBufferBytes = 8 * 1024;

class Receivers : public CloudTest, public testing::WithParamInterface<Family> {};

INSTANTIATE_TEST_SUITE_P(Both, Receivers, testing::Values(Family::k4, Family::k6), family_name);

// What the kernel dropped because the socket's receive buffer was full.
std::uint64_t drops_at(UdpPeer& socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t length = sizeof figures;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_MEMINFO, figures.data(), &length), 0);
  return figures[SK_MEMINFO_DROPS];
}

TEST_P(Receivers, OneThatStopsReadingLosesItsOwnAlone) {
  build();
  ASSERT_NO_FATAL_FAILURE(start_server({"--host", server_ip(GetParam())}));
  for (std::size_t i = 0; i < kMembers; ++i) {
    const int buffer_bytes = i == 1 ? kSmallBufferBytes : kRoomyBufferBytes;
    ASSERT_TRUE(enter(host(i), host_ip(GetParam(), i), "m" + std::to_string(i),
                      {.receive_buffer_bytes = buffer_bytes}));
  }
  const std::uint64_t before = cloud().traffic(line(1), Way::kToHost).left;
  everyone_speaks(room(), kMessagesEach);
  const std::uint64_t all = (kMembers - 1) * kMessagesEach;
  for (const std::size_t listener : {0U, 2U, 3U}) {
    const Messages heard = hear_messages(room()[listener], all);
    EXPECT_EQ(heard.size(), all);
    EXPECT_TRUE(are_in_order(heard));
  }
  ASSERT_TRUE(
      wait_until([&] { return cloud().traffic(line(1), Way::kToHost).left - before == all; }));

  // m1 reads again: what is there, it hears, and the rest its own kernel has dropped.
  UdpPeer& socket = room()[1].socket();
  std::uint64_t heard = 0;
  EXPECT_TRUE(wait_until([&] {
    while (socket.try_receive()) ++heard;
    return heard + drops_at(socket) == all;
  })) << heard
      << " heard, " << drops_at(socket) << " dropped";
  EXPECT_GT(drops_at(socket), 0U);
  EXPECT_GT(heard, 0U);
  EXPECT_EQ(host(1).drops(), drops_at(socket));
  EXPECT_EQ(server_network().drops(), 0U);
  EXPECT_TRUE(all_is_heard(room()));
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
  EXPECT_EQ(counted["deliveries_sent"], counted["deliveries_planned"]);
}

TEST_P(Receivers, OneWhosePortIsClosedIsRemovedAndTheOthersLoseNothing) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  room()[1].socket().close();
  bool told = false;
  const Deadline deadline = kPatience;
  int said_since = 0;
  for (; said_since < 50 || (!told && !deadline.passed()); ++said_since) {
    const std::string said = room()[0].say("message " + std::to_string(said_since));
    for (const std::size_t listener : {2U, 3U}) {
      auto heard = room()[listener].hear();
      // The notice comes once, between any two messages.
      if (heard && JsonObject(*heard).text("message") == "m1 left") {
        told = true;
        EXPECT_GT(said_since, 3) << "a few refusals are tolerated";
        heard = room()[listener].hear();
      }
      ASSERT_EQ(heard, said) << room()[listener].name();
    }
  }
  EXPECT_TRUE(told);
  EXPECT_TRUE(room()[0].hears_left("m1"));
  const Counters counted = totals();
  EXPECT_EQ(counted["members_refused"], 1U);
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

// The same in a burst: refusals come back while others are being sent to.
TEST_P(Receivers, ABurstToAClosedPortCostsTheOthersNothing) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  room()[1].socket().close();
  std::vector<std::string> said;
  for (int i = 0; i < 300; ++i) said.push_back(room()[0].say("message " + std::to_string(i)));
  for (const std::size_t listener : {2U, 3U}) {
    int notices = 0;
    for (const std::string& expected : said) {
      auto heard = room()[listener].hear();
      if (heard && JsonObject(*heard).text("sender") == "system") {
        ++notices;
        heard = room()[listener].hear();
      }
      ASSERT_EQ(heard, expected) << room()[listener].name();
    }
    EXPECT_LE(notices, 1);
  }
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

}  // namespace
}  // namespace chatd::test
