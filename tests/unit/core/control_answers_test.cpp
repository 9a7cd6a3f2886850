// The answer to a datagram that is not authenticated: chatd must be no use as a reflector.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

// A datagram of this size whose token nobody has.
std::string guess(std::size_t size_bytes) {
  const std::string datagram = encode_datagram("lobby", std::string(16, 'x'), "");
  return datagram + std::string(size_bytes - datagram.size(), 'x');
}

class Answers : public testing::Test {
 protected:
  std::vector<Sent> answers_to(const Endpoint& from, const std::string& datagram) {
    kit_.deliver(from, datagram);
    return kit_.take();
  }

  static RelayConfig config() {
    RelayConfig config;
    config.local_endpoints = {.addresses = {ip("192.0.2.1")},
                              .has_address = {},
                              .on_all_loopback = false,
                              .udp_port = 9000};
    return config;
  }

  RelayKit kit_{config()};
  const Endpoint source_ = at("192.0.2.7", 5'000);
};

TEST_F(Answers, GoBackToTheSource) {
  const auto sent = answers_to(source_, guess(200));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, source_);
  EXPECT_EQ(sent[0].payload, kNotAuthenticated);
  EXPECT_EQ(sent[0].kind, Outbox::Kind::kAnswer);
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 1u);
}

TEST_F(Answers, AreNeverLongerThanTheDatagram) {
  const std::size_t answer_bytes = 2 + kNotAuthenticated.size();
  EXPECT_TRUE(answers_to(source_, guess(answer_bytes - 1)).empty());
  EXPECT_EQ(answers_to(source_, guess(answer_bytes)).size(), 1u);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 2u);
}

TEST_F(Answers, ComeOnceASecondToASource) {
  EXPECT_EQ(answers_to(source_, guess(200)).size(), 1u);
  const Endpoint other_port = {source_.ip, 6'000};  // an address is a source, a port is not
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(answers_to(other_port, guess(200)).empty());
  kit_.now_ms += 999;
  EXPECT_TRUE(answers_to(source_, guess(200)).empty());
  kit_.now_ms += 1;
  EXPECT_EQ(answers_to(source_, guess(200)).size(), 1u);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 103u);
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 2u);
}

TEST_F(Answers, GoNowhereThatIsNotOneHost) {
  for (const Endpoint& from :
       {at("192.0.2.7", 0), at("0.0.0.0", 5'000), at("::", 5'000), at("224.0.0.1", 5'000),
        at("ff02::1", 5'000), at("255.255.255.255", 5'000), at("192.0.2.1", 9000)}) {
    EXPECT_TRUE(answers_to(from, guess(200)).empty());
    kit_.now_ms += 1'000;
  }
  EXPECT_EQ(answers_to(at("192.0.2.1", 9001), guess(200)).size(), 1u);
}

TEST_F(Answers, ComeForAWrongRoomAndAWrongAddressToo) {
  const Person alice = kit_.create("lobby", "alice", at("192.0.2.8", 1'000));
  const std::string payload = message_payload("alice", "a message long enough to be answered");
  EXPECT_EQ(answers_to(source_, encode_datagram("lobby", alice.token, payload)).size(), 1u);
  EXPECT_EQ(kit_.count(Counter::kDroppedWrongAddress), 1u);
  EXPECT_EQ(answers_to(alice.from, encode_datagram("den", alice.token, payload)).size(), 1u);
  EXPECT_EQ(kit_.count(Counter::kDroppedWrongRoom), 1u);
}

TEST_F(Answers, DoNotComeForWhatIsNoDatagramOfOurs) {
  EXPECT_TRUE(answers_to(source_, "").empty());
  EXPECT_TRUE(answers_to(source_, std::string(200, '\xff')).empty());
  EXPECT_TRUE(answers_to(source_, std::string(5'000, 'x')).empty());
  EXPECT_TRUE(kit_.every_datagram_is_accounted_for());
}

TEST_F(Answers, ChangeNothing) {
  const Person alice = kit_.create("lobby", "alice", at("192.0.2.8", 1'000));
  const std::uint64_t version = kit_.relay.roster().version();
  for (int i = 0; i < 10; ++i) {
    answers_to(source_, guess(200));
    answers_to(source_, encode_datagram("lobby", alice.token, leave_payload("alice")));
    kit_.now_ms += 1'000;
  }
  EXPECT_EQ(kit_.relay.roster().version(), version);
}

}  // namespace
}  // namespace chatd
