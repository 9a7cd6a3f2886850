// A plain cable (veth) and nothing in between: each member hears each message once, in order, and
// nothing else. Trains cross the cable as the kernel sends them, uncut.
#include <signal.h>

#include "tests/integration/networks/networks_test.h"

namespace chatd::test {
namespace {

constexpr int kMembers = 6;
constexpr int kMessagesEach = 100;

class VethLink : public NetworksTest, public testing::WithParamInterface<Family> {
 protected:
  void open_room() {
    stay_on_one_processor();
    const bool is_v4 = GetParam() == Family::k4;
    const std::string prefix = is_v4 ? "/24" : "/64";
    const std::string server_ip = is_v4 ? "10.1.0.1" : "fd01::1";
    const std::string ip = is_v4 ? "10.1.0.2" : "fd01::2";
    lay_cable(*server_, "eth0", *members_, "eth0");
    server_->add_addresses("eth0", {server_ip + prefix});
    members_->add_addresses("eth0", {ip + prefix});
    ASSERT_NO_FATAL_FAILURE(start_in(*server_, {"--host", server_ip}));
    for (int i = 0; i < kMembers; ++i) {
      ASSERT_TRUE(enter(*members_, ip, "m" + std::to_string(i)));
    }
  }

  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    server_.emplace();
    members_.emplace();
  }

  void expect_all_is_heard_once_in_order() {
    for (Member& listener : room()) {
      const Messages heard = hear_messages(listener, (kMembers - 1) * kMessagesEach);
      EXPECT_EQ(heard.size(), (kMembers - 1) * kMessagesEach);
      EXPECT_TRUE(are_in_order(heard));
    }
    EXPECT_TRUE(all_is_heard(room()));
    EXPECT_EQ(server_->drops() + members_->drops(), 0U);
  }

  std::optional<NetworkNamespace> server_;
  std::optional<NetworkNamespace> members_;
};

INSTANTIATE_TEST_SUITE_P(Both, VethLink, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(VethLink, EachHearsEachMessageOnceInOrder) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  everyone_speaks(room(), kMessagesEach);
  ASSERT_NO_FATAL_FAILURE(expect_all_is_heard_once_in_order());
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

// chatd sleeps until all has been said: what waits for it goes out in trains.
TEST_P(VethLink, TrainsArriveAsTheMessagesTheyAreMadeOf) {
  ASSERT_NO_FATAL_FAILURE(open_room());
  ASSERT_EQ(::kill(server().pid(), SIGSTOP), 0);
  everyone_speaks(room(), kMessagesEach);
  ASSERT_EQ(::kill(server().pid(), SIGCONT), 0);
  ASSERT_NO_FATAL_FAILURE(expect_all_is_heard_once_in_order());
  const Counters counted = totals();
  EXPECT_GT(counted["trains_sent"], 0U);
  EXPECT_EQ(counted["train_fallbacks"], 0U);
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

}  // namespace
}  // namespace chatd::test
