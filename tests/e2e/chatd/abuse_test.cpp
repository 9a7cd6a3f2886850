// What strangers and wild clients do to a relay on the open internet, each beside a session
// that must not notice. Loopback addresses stand for the internet's: --limit-loopback.
#include <algorithm>
#include <random>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"

namespace chatd::test {
namespace {

constexpr std::string_view kTooFast =
    R"({"sender":"Server","message":"You are sending too fast: some of your messages were not delivered"})";

std::string address_number(std::uint32_t number) {
  return "127." + std::to_string(1 + number / 62'500) + "." + std::to_string(number / 250 % 250) +
         "." + std::to_string(1 + number % 250);
}

class AbuseTest : public ServerTest {
 protected:
  void start_talking(const std::vector<std::string>& flags) {
    ASSERT_NO_FATAL_FAILURE(start(flags));
    talk_ = make_room(server(), "talk", {"alice", "bob"}, {.source_ip = "127.200.0.1"});
    ASSERT_EQ(talk_.size(), 2U);
  }
  void converse() {
    ASSERT_TRUE(talk_[1].hears(talk_[0].say("over")));
    ASSERT_TRUE(talk_[0].hears(talk_[1].say("and out")));
  }

 private:
  std::vector<Member> talk_;
};

TEST_F(AbuseTest, AMemberThatFloodsIsCutToItsRateAndTold) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--max-member-messages", "100"}));
  auto noisy = make_room(server(), "noisy", {"mallory", "carol"});
  ASSERT_EQ(noisy.size(), 2U);
  constexpr int kMessages = 5'000;
  for (int i = 0; i < kMessages; ++i) {
    noisy[0].say("message " + std::to_string(i));
    if (i % 100 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
  }
  EXPECT_TRUE(noisy[0].hears(kTooFast));
  for (int i = 0; i < 200; ++i) {  // the burst, whole and in order
    ASSERT_TRUE(noisy[1].hears(message_payload("mallory", "message " + std::to_string(i))));
  }
  ASSERT_NO_FATAL_FAILURE(converse());

  const Counters counted = totals();
  EXPECT_GT(counted["messages_over_limit"], 3'000U);
  EXPECT_EQ(counted["dropped_over_limit"], counted["messages_over_limit"]);  // a room of two
  EXPECT_GE(counted["over_limit_warnings"], 1U);
  EXPECT_LE(counted["over_limit_warnings"], 10U);
}

TEST_F(AbuseTest, LimitsOffIsAllOfThemButTheNamedOnes) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--rate-limits", "off", "--max-member-messages", "1"}));
  auto pair = make_room(server(), "pair", {"carol", "dave"});
  ASSERT_EQ(pair.size(), 2U);
  for (int i = 0; i < 10; ++i) pair[0].say("hi");
  EXPECT_TRUE(pair[0].hears(kTooFast));
  EXPECT_GE(totals()["messages_over_limit"], 7U);
}

TEST_F(AbuseTest, LimitsOffLetsAFloodPass) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--rate-limits", "off"}));
  auto pair = make_room(server(), "pair", {"carol", "dave"});
  ASSERT_EQ(pair.size(), 2U);
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(pair[1].hears(pair[0].say("hi")));
  EXPECT_EQ(totals()["messages_over_limit"], 0U);
}

TEST_F(AbuseTest, PasswordGuessesEnd) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--limit-loopback", "--max-password-attempts", "3"}));
  auto host = Member::create(server(), "den", "host", {.password = "secret"});
  ASSERT_TRUE(host);
  TcpPeer guesser(server().tcp(), "127.0.0.7");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(guesser.join("den", fields_of("eve", "wrong")).status(), 401);
  EXPECT_EQ(guesser.join("den", fields_of("eve", "secret")).status(), 429);
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.8").join("den", fields_of("eve", "secret")).status(),
            201);
  ASSERT_NO_FATAL_FAILURE(converse());
  const Counters counted = totals();
  EXPECT_EQ(counted["passwords_wrong"], 3U);
  EXPECT_EQ(counted["password_attempts_over_limit"], 1U);
}

// What is no request costs its address as much as one.
TEST_F(AbuseTest, UnknownOperationsAndStatesAreRequestsToo) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--limit-loopback", "--max-address-requests", "1"}));
  for (const auto& [address, operation, state] :
       {std::tuple{"127.0.0.7", 77, 0}, std::tuple{"127.0.0.8", 2, 1}}) {
    TcpPeer nonsense(server().tcp(), address);
    const Frame frame{.operation = static_cast<std::uint8_t>(operation),
                      .state = static_cast<std::uint8_t>(state),
                      .room = "",
                      .payload = ""};
    for (int i = 0; i < 4; ++i) EXPECT_EQ(nonsense.request(frame).status(), 400);
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
      const Answer answer = nonsense.request(frame);
      EXPECT_FALSE(answer.accepted);
      if (answer.status() == 429) ++refused;
    }
    EXPECT_GE(refused, 15);
  }
}

TEST_F(AbuseTest, AnAddressHasSoManyConnections) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--limit-loopback", "--max-address-connections", "5"}));
  std::vector<TcpPeer> greedy;
  for (int i = 0; i < 5; ++i) {
    greedy.emplace_back(server().tcp(), "127.0.0.7");
    ASSERT_TRUE(greedy.back().read_greeting());
  }
  TcpPeer one_too_many(server().tcp(), "127.0.0.7");
  const auto refusal = one_too_many.read_frame();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->state, kCompleted);
  EXPECT_EQ(JsonObject(refusal->payload).number("status"), 429);
  EXPECT_NE(one_too_many.wait_end(), StreamEnd::kOpen);
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.8").join("none", fields_of("eve")).status(), 404);

  greedy.pop_back();
  const Deadline deadline = kPatience;  // until chatd has seen the end
  bool is_in = false;
  while (!is_in && !deadline.passed()) {
    is_in = TcpPeer(server().tcp(), "127.0.0.7").join("none", fields_of("eve")).status() == 404;
  }
  EXPECT_TRUE(is_in);
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_GE(totals()["connections_over_address_limit"], 1U);
}

TEST_F(AbuseTest, AnAddressConnectsSoManyTimesASecond) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--limit-loopback", "--max-address-requests", "10"}));
  int greeted = 0;
  int turned_away = 0;
  for (int i = 0; i < 200; ++i) {
    const auto first = TcpPeer(server().tcp(), "127.0.0.7").read_frame();
    ASSERT_TRUE(first);
    ++(first->state == kRequest ? greeted : turned_away);
  }
  EXPECT_GE(greeted, 40);
  EXPECT_GT(turned_away, 0);
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.8").join("none", fields_of("eve")).status(), 404);
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_EQ(totals()["connections_over_address_limit"], static_cast<unsigned>(turned_away));
}

// As a botnet does: ten thousand connections from as many addresses, a byte each, and then silence.
TEST_F(AbuseTest, TenThousandDribblersCostNobodyElse) {
  constexpr std::uint32_t kDribblers = 10'000;
  raise_own_open_files_limit();
  ASSERT_NO_FATAL_FAILURE(start_talking(
      {"--limit-loopback", "--max-connections", "11000", "--handshake-timeout", "30s"}));
  const std::size_t memory_before = resident_bytes(server().pid());
  std::vector<TcpPeer> dribblers;
  dribblers.reserve(kDribblers);
  for (std::uint32_t i = 0; i < kDribblers; ++i) {
    dribblers.emplace_back(server().tcp(), address_number(i));
    ASSERT_TRUE(dribblers.back().connected()) << i;
    dribblers.back().send_some("x");
    if (i % 500 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
  }
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.8").join("none", fields_of("eve")).status(), 404);
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_LT(resident_bytes(server().pid()) - memory_before,
            std::size_t{kDribblers} * 4096U * (CHATD_SANITIZED ? 10U : 1U));
  for (TcpPeer& dribbler : dribblers) dribbler.send_some("y");
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.8").join("none", fields_of("eve")).status(), 404);
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_EQ(totals()["connections_over_address_limit"], 0U);
}

// Sources that may be forged, with tokens that are guessed: each gets an answer no longer than what
// it sent, once a second; the whole flood gets no more than the table of sources has places.
TEST_F(AbuseTest, AFloodFromForgedSourcesCostsNobodyElse) {
  ASSERT_NO_FATAL_FAILURE(start_talking({}));
  std::mt19937_64 random(20'261'123);
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < 2'000; ++i) {
    UdpPeer source(address_number(i));
    for (int j = 0; j < 10; ++j, ++sent) {
      std::string token(16, '\0');
      for (char& byte : token) byte = static_cast<char>(random());
      std::string datagram = {4, 16};
      datagram.append("talk").append(token).append(
          message_payload("alice", "let me in, I am alice"));
      source.send(server().udp(), datagram);
    }
    if (i % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
  }
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_unknown_token"], sent);
  EXPECT_EQ(counted["unauthenticated_answers"] + counted["unauthenticated_unanswered"], sent);
  EXPECT_GE(counted["unauthenticated_answers"], 1'500U);  // most have a place of their own
  EXPECT_LE(counted["unauthenticated_answers"], 2'000U + 4'096U);
}

TEST_F(AbuseTest, NobodyIsAnsweredIfSoSet) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--max-source-answers", "0"}));
  UdpPeer stranger("127.0.0.7");
  stranger.send(server().udp(),
                encode_datagram("talk", std::string(32, 'a'), std::string(100, 'x')));
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_FALSE(stranger.try_receive());
  EXPECT_EQ(totals()["unauthenticated_unanswered"], 1U);
}

}  // namespace
}  // namespace chatd::test
