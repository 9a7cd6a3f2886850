// Trains: what arrives while chatd is busy goes out together, and clients that know nothing of it
// get the same datagrams as ever; --gso, --mtu and the buffers' sizes.
#include <signal.h>
#include <unistd.h>

#include <array>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Trains : public ServerTest {
 protected:
  // Lets a burst arrive as a whole: chatd sleeps until everything has been said.
  template <typename Talk>
  void while_it_sleeps(Talk talk) {
    ASSERT_EQ(::kill(server().pid(), SIGSTOP), 0);
    talk();
    ASSERT_EQ(::kill(server().pid(), SIGCONT), 0);
  }

  // Two people speak in turns while the server sleeps; everyone hears the others' words, each
  // sender's in order.
  void talk_in_bursts(std::size_t text_bytes) {
    auto room = make_room(server(), "room", {"alice", "bob", "carol", "dave"});
    ASSERT_EQ(room.size(), 4U);
    std::array<std::vector<std::string>, 2> said;
    while_it_sleeps([&] {
      for (int i = 0; i < kMessages; ++i) {
        const std::string number = std::to_string(1000 + i);
        const std::size_t sender = i % 2 == 0 ? 0 : 1;
        said[sender].push_back(room[sender].say(number + std::string(text_bytes, '.')));
      }
    });
    for (std::size_t listener = 0; listener < room.size(); ++listener) {
      std::array<std::vector<std::string>, 2> heard;
      const std::size_t expected = listener < 2 ? kMessages / 2 : kMessages;
      for (std::size_t i = 0; i < expected; ++i) {
        const auto payload = room[listener].hear();
        ASSERT_TRUE(payload) << room[listener].name() << ", message " << i;
        heard[payload->find("\"alice\"") != std::string::npos ? 0 : 1].push_back(*payload);
      }
      if (listener != 0) {
        EXPECT_EQ(heard[0], said[0]);
      }
      if (listener != 1) {
        EXPECT_EQ(heard[1], said[1]);
      }
    }
  }

  static constexpr int kMessages = 60;
};

TEST_F(Trains, CarryABurst) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(talk_in_bursts(100));
  const Counters counted = totals();
  EXPECT_EQ(counted["deliveries_sent"], kMessages * 3U);
  EXPECT_GE(counted["trains_sent"], 4U) << "one a member, if chatd read the burst in one go";
  EXPECT_LE(counted["trains_sent"], 60U) << counted.to_string();
}

TEST_F(Trains, AreNotSentWhenTheyAreOff) {
  ASSERT_NO_FATAL_FAILURE(start({"--gso", "off"}));
  ASSERT_NO_FATAL_FAILURE(talk_in_bursts(100));
  const Counters counted = totals();
  EXPECT_EQ(counted["trains_sent"], 0U);
  EXPECT_EQ(counted["deliveries_sent"], kMessages * 3U);
}

TEST_F(Trains, HoldNothingThatExceedsTheMtu) {
  ASSERT_NO_FATAL_FAILURE(start({"--mtu", "576"}));
  ASSERT_NO_FATAL_FAILURE(talk_in_bursts(600));
  EXPECT_EQ(totals()["trains_sent"], 0U);
}

TEST_F(Trains, MayHoldMoreWhereTheMtuIsLarge) {
  ASSERT_NO_FATAL_FAILURE(start({"--mtu", "65536"}));
  ASSERT_NO_FATAL_FAILURE(talk_in_bursts(1600));
  EXPECT_GT(totals()["trains_sent"], 0U);
}

// Whoever may administer the network gets any buffer; everybody else what the system allows.
TEST_F(Trains, ABufferThatTheKernelCutsIsWarnedOf) {
  if (::geteuid() == 0 && ::access("/usr/bin/setpriv", X_OK) != 0) {
    GTEST_SKIP() << "needs setpriv (util-linux) to give up privileges";
  }
  std::vector<std::string> argv;
  if (::geteuid() == 0) argv = {"/usr/bin/setpriv", "--bounding-set=-net_admin"};
  for (const char* word :
       {"--tcp-port", "0", "--udp-port", "0", "--tls-port", "0", "--receive-buffer", "1GiB"}) {
    if (argv.size() == (::geteuid() == 0 ? 2U : 0U)) argv.push_back(ChatdServer::program());
    argv.emplace_back(word);
  }
  Process process(std::move(argv));
  const auto warning = process.wait_for_line(Stream::kStderr, "receive buffer is");
  ASSERT_TRUE(warning) << process.captured(Stream::kStderr);
  EXPECT_NE(warning->find("sysctl -w net.core.rmem_max=1073741824"), std::string::npos) << *warning;
}

TEST_F(Trains, BadFlagsAreExplained) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--gso", "maybe"}, "not one of off or auto"},
      {{"--mtu", "100"}, "576"},
      {{"--receive-buffer", "much"}, "--receive-buffer"},
      {{"--send-buffer", "1"}, "--send-buffer"},
  };
  for (const auto& [flags, words] : cases) {
    std::vector<std::string> argv = {ChatdServer::program()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    Process process(std::move(argv));
    EXPECT_TRUE(process.wait_for_text(Stream::kStderr, words)) << flags[0];
    const auto status = process.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 2) << flags[0];
  }
}

}  // namespace
}  // namespace chatd::test
