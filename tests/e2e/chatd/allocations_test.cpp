// After start-up no datagram costs a heap allocation. Counted, not believed.
#include "tests/e2e/chatd/server_test.h"
#include "tests/support/allocation_count.h"

#ifndef CHATD_ALLOCATION_COUNTER
#define CHATD_ALLOCATION_COUNTER ""
#endif

namespace chatd::test {
namespace {

class Allocations : public ServerTest {
 protected:
  void SetUp() override {
    if (CHATD_SANITIZED) GTEST_SKIP() << "sanitizers bring their own malloc";
    ASSERT_NO_FATAL_FAILURE(start({"--rate-limits", "off"},
                                  {.environment = {{"LD_PRELOAD", CHATD_ALLOCATION_COUNTER},
                                                   {kAllocationCountVariable, count_.path()}}}));
    small_ = make_room(server(), "small", {"alice", "bob", "carol"});
    std::vector<std::string> names;
    for (int i = 0; i < 30; ++i) names.push_back("member " + std::to_string(i));
    big_ = make_room(server(), "big", names);
    ASSERT_EQ(small_.size(), 3U);
    ASSERT_EQ(big_.size(), 30U);
  }

  // `messages` in all, in bursts of changing length, heard by everybody.
  void relay(std::vector<Member>& room, int messages) {
    for (int done = 0, burst = 1; done < messages; done += burst, burst = burst % 20 + 1) {
      burst = std::min(burst, messages - done);
      const auto sender = static_cast<std::size_t>(done) % room.size();
      std::vector<std::string> said;
      for (int i = 0; i < burst; ++i) {
        said.push_back(room[sender].say(std::string(static_cast<std::size_t>(20 + i % 3), 'x')));
      }
      for (std::size_t i = 0; i < room.size(); ++i) {
        if (i == sender) continue;
        for (const std::string& payload : said) ASSERT_TRUE(room[i].hears(payload));
      }
    }
  }

  AllocationCount count_;
  std::vector<Member> small_;
  std::vector<Member> big_;
};

TEST_F(Allocations, TheCounterCounts) {
  const std::uint64_t at_start = count_.now();
  EXPECT_GT(at_start, 0U);
  TcpPeer control(server().tcp());
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(control.create("room " + std::to_string(i), fields_of("host")).status(), 201);
  }
  EXPECT_GT(count_.now(), at_start) << "no allocation in ten new rooms: the counter is broken";
}

TEST_F(Allocations, ARelayedDatagramCostsNone) {
  ASSERT_NO_FATAL_FAILURE(relay(small_, 500));
  ASSERT_NO_FATAL_FAILURE(relay(big_, 500));
  const std::uint64_t before = count_.now();
  ASSERT_NO_FATAL_FAILURE(relay(small_, 9'000));
  ASSERT_NO_FATAL_FAILURE(relay(big_, 1'000));
  EXPECT_EQ(count_.now() - before, 0U);
}

TEST_F(Allocations, NorDoesOneThatIsDropped) {
  UdpPeer stranger("127.0.0.9");
  const auto drop_each_way = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      stranger.send(server().udp(), "malformed");
      stranger.send(server().udp(), std::string(5000, 'x'));
      stranger.send(server().udp(),
                    encode_datagram("small", std::string(32, 'a'), std::string(100, 'x')));
      stranger.send(server().udp(), encode_datagram("small", small_[0].token(), "{}"));
      small_[0].send_payload(message_payload("bob", "as bob"));
      small_[0].send_payload(std::string(3000, '['));
      small_[0].send_payload(R"({"sender":"alice","x":)" + std::string(500, '['));
      small_[0].heartbeat();
      ASSERT_TRUE(small_[1].hears_nothing_before(small_[0]));
    }
  };
  ASSERT_NO_FATAL_FAILURE(drop_each_way(50));
  const std::uint64_t before = count_.now();
  ASSERT_NO_FATAL_FAILURE(drop_each_way(500));
  EXPECT_EQ(count_.now() - before, 0U);
}

}  // namespace
}  // namespace chatd::test
