// chatd is no use for speaking to third parties: it sends nothing to an address that has not proved
// itself, and nothing larger than what it got.
#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

constexpr char kStrangersToken[] = "0123456789abcdef0123456789abcdef";

class Reflector : public ServerTest {
 protected:
  // A datagram with an unknown token that has this size in all.
  static std::string unauthenticated(std::size_t size_bytes) {
    const std::string bytes = encode_datagram("room", kStrangersToken, "");
    return bytes + std::string(size_bytes - bytes.size(), 'x');
  }
};

const std::string kAnswer = std::string("\0\0", 2) + std::string(kNotAuthenticated);

// Mallory has named a victim's address as its own when it joined.
class ReflectorWithAVictim : public Reflector {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(start());
    room_ = make_room(server(), "room", {"alice", "bob"});
    ASSERT_EQ(room_.size(), 2U);
    mallory_ = Member::join(server(), "room", "mallory",
                            {.stated_ip = "127.0.0.9", .stated_port = victim_.address().port()});
    ASSERT_TRUE(mallory_);
    for (Member& member : room_) EXPECT_TRUE(member.hears_joined("mallory"));
  }

  UdpPeer victim_{"127.0.0.9"};
  std::vector<Member> room_;
  std::optional<Member> mallory_;
};

TEST_F(ReflectorWithAVictim, AForeignIpInARequestDrawsNothingThere) {
  for (int i = 0; i < 100; ++i) {
    const std::string said = room_[0].say("message " + std::to_string(i));
    ASSERT_TRUE(room_[1].hears(said));
  }
  auto carol = Member::join(server(), "room", "carol");  // join notices do not go there either
  ASSERT_TRUE(carol);
  for (Member& member : room_) EXPECT_TRUE(member.hears_joined("carol"));
  carol->leave();
  for (Member& member : room_) EXPECT_TRUE(member.hears_left("carol"));
  EXPECT_TRUE(room_[1].hears_nothing_before(room_[0]));
  EXPECT_FALSE(victim_.try_receive());
  // mallory is in the room, and was only never found.
  mallory_->heartbeat();
  EXPECT_TRUE(mallory_->hears(room_[0].say("hello")));
  EXPECT_FALSE(victim_.try_receive());
  EXPECT_EQ(totals()["dropped_pending_member"], 102U);
}

TEST_F(ReflectorWithAVictim, ARoomThatEndsDoesNotTellAForeignAddressEither) {
  room_[0].leave();
  EXPECT_TRUE(room_[1].hears_left("alice"));
  EXPECT_TRUE(room_[1].hears_own_removal());
  totals();  // the server is gone: whatever it had to send is sent
  EXPECT_FALSE(victim_.try_receive());
}

TEST_F(Reflector, AnUnauthenticatedDatagramNeverDrawsALongerAnswer) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer stranger("127.0.0.9");
  for (std::size_t size = 2 + 4 + 32; size < kAnswer.size(); ++size) {
    stranger.send(server().udp(), unauthenticated(size));
  }
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  EXPECT_FALSE(stranger.try_receive());
  stranger.send(server().udp(), unauthenticated(kAnswer.size()));
  const auto answer = stranger.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes, kAnswer);
  EXPECT_EQ(answer->from, server().udp());
}

TEST_F(Reflector, AnswersAreRarePerSource) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  // The rate is that of an IP: a source port costs an attacker nothing.
  std::vector<UdpPeer> strangers;
  for (int i = 0; i < 10; ++i) strangers.emplace_back("127.0.0.9");
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 1000; ++i) {
    strangers[i % strangers.size()].send(server().udp(), unauthenticated(200));
    if (i % 100 == 0) {  // not more than any socket buffer holds
      ASSERT_TRUE(room[1].hears_nothing_before(room[0]));
    }
  }
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  // And another source is not made to pay for it.
  UdpPeer other("127.0.0.10");
  other.send(server().udp(), unauthenticated(200));
  const auto answer = other.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes, kAnswer);
  // The strangers' shard need not be the room's: only when chatd has ended all are answered.
  const Counters counted = totals();
  const auto seconds =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count();
  std::int64_t answers = 0;
  for (UdpPeer& stranger : strangers) {
    while (stranger.try_receive()) ++answers;
  }
  EXPECT_GE(answers, 1);
  EXPECT_LE(answers, seconds + 1);
  EXPECT_EQ(counted["dropped_unknown_token"], 1001U);
  EXPECT_EQ(counted["unauthenticated_answers"], static_cast<std::uint64_t>(answers) + 1);
}

TEST_F(Reflector, AnAnswerComesAgainAfterAWhile) {
  ASSERT_NO_FATAL_FAILURE(start());
  UdpPeer stranger("127.0.0.9");
  stranger.send(server().udp(), unauthenticated(200));
  EXPECT_TRUE(stranger.receive());
  // It keeps asking, as a client would whose room is gone, and is told again within seconds.
  const Deadline deadline = kPatience;
  bool answered = false;
  while (!answered && !deadline.passed()) {
    stranger.send(server().udp(), unauthenticated(200));
    answered = stranger.receive(std::chrono::milliseconds(50)).has_value();
  }
  EXPECT_TRUE(answered);
}

TEST_F(Reflector, AnsweringAFloodOfSourcesStaysBounded) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  for (int i = 0; i < 2000; ++i) {
    UdpPeer stranger("127.7." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250));
    stranger.send(server().udp(), unauthenticated(200));
    if (i % 100 == 0) {
      ASSERT_TRUE(room[1].hears_nothing_before(room[0]));
    }
  }
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_unknown_token"], 2000U);
  EXPECT_LE(counted["unauthenticated_answers"], 2000U);
}

}  // namespace
}  // namespace chatd::test
