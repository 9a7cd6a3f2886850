// The real `chat`, with protocol 1, on a machine that loses its way to the server: what it sends
// cannot even leave. It must not sit there as if nobody said anything.
#include "tests/e2e/chat/chat_program.h"
#include "tests/integration/networks/networks_test.h"

namespace chatd::test {
namespace {

class LostRoute : public NetworksTest, public testing::WithParamInterface<Family> {
 protected:
  static bool is_v4() { return GetParam() == Family::k4; }
  static std::string prefix() { return is_v4() ? "10.1.0.0/24" : "fd01::/64"; }
  static std::string ip(int host) {
    return (is_v4() ? "10.1.0." : "fd01::") + std::to_string(host);
  }

  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    near_.emplace();
    far_.emplace();
    lay_cable(*near_, "eth0", *far_, "eth0");
    const std::string length = is_v4() ? "/24" : "/64";
    near_->add_addresses("eth0", {ip(1) + length});
    far_->add_addresses("eth0", {ip(2) + length});
  }

  void start_server(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> all{"--host", ip(1)};
    all.insert(all.end(), flags.begin(), flags.end());
    ASSERT_NO_FATAL_FAILURE(start_in(*near_, all));
  }
  Process start_far_chat(const std::string& command = "join") {
    const Inside inside(*far_);
    return start_chat(server(), {command, "room", "--name", "bob", "--heartbeat", "100ms", "--v1"});
  }
  void lose_route() { far_->ip({"route del " + prefix() + " dev eth0"}); }
  void find_route() { far_->ip({"route add " + prefix() + " dev eth0"}); }

  static std::string told(Process& chat) { return chat.captured(Stream::kStderr); }
  // What cannot leave is told with the reason.
  static bool tells_of_it(Process& chat) {
    return chat
        .wait_for_line(Stream::kStderr, "does not answer: Network is unreachable; asking again")
        .has_value();
  }

  std::optional<NetworkNamespace> near_;
  std::optional<NetworkNamespace> far_;
};

INSTANTIATE_TEST_SUITE_P(Both, LostRoute, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(LostRoute, IsToldAndSoIsItsReturn) {
  ASSERT_NO_FATAL_FAILURE(start_server());
  ASSERT_TRUE(enter(*near_, ip(1), "alice"));
  Member& alice = room()[0];
  Process chat = start_far_chat();
  ASSERT_TRUE(alice.hears_joined("bob"));
  chat.write_stdin("here I am\n");
  ASSERT_TRUE(alice.hears(said("bob", "here I am")));

  lose_route();
  EXPECT_TRUE(tells_of_it(chat)) << told(chat);
  chat.write_stdin("and now?\n");
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "line 2 not sent: Network is unreachable"))
      << told(chat);

  find_route();
  EXPECT_TRUE(chat.wait_for_line(Stream::kStderr, "answers again")) << told(chat);
  alice.say("welcome back");
  EXPECT_TRUE(chat.wait_for_line(Stream::kStdout, "alice: welcome back"));
  chat.write_stdin("thank you\n");
  EXPECT_TRUE(alice.hears(said("bob", "thank you")));
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 7) << told(chat);  // a line was not sent
  EXPECT_TRUE(alice.hears_left("bob"));
}

TEST_P(LostRoute, IsTheEndWhenTheServerMustHaveForgottenUs) {
  ASSERT_NO_FATAL_FAILURE(start_server({"--idle-timeout", "2s"}));
  Process chat = start_far_chat("create");
  ASSERT_TRUE(chat.wait_for_line(Stream::kStderr, "you are in"));
  lose_route();
  EXPECT_TRUE(tells_of_it(chat)) << told(chat);
  EXPECT_EQ(exit_code_of(chat), 3) << told(chat);
  EXPECT_NE(told(chat).find("has not answered for 2 s"), std::string::npos) << told(chat);
}

// There is nobody to ask whether the last line has arrived.
TEST_P(LostRoute, AtTheEndOfTheInputIsNoSuccess) {
  ASSERT_NO_FATAL_FAILURE(start_server());
  ASSERT_TRUE(enter(*near_, ip(1), "alice"));
  Process chat = start_far_chat();
  ASSERT_TRUE(room()[0].hears_joined("bob"));
  chat.write_stdin("here I am\n");
  ASSERT_TRUE(room()[0].hears(said("bob", "here I am")));
  lose_route();
  chat.close_stdin();
  EXPECT_EQ(exit_code_of(chat), 3) << told(chat);
}

}  // namespace
}  // namespace chatd::test
