// Protocol v2 on bad networks: whatever they do, what was echoed to who has said it is heard by
// everybody, once, and in one order. Beside the network's own faults: a router that forgets its
// ports, and a line that dies for a while.
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include "tests/integration/networks/sealed_room.h"
#include "tests/integration/networks/tun_network_test.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;

struct Conditions {
  const char* name;
  Faults faults;  // both ways
};
void PrintTo(const Conditions& conditions, std::ostream* out) {
  *out << conditions.name;
}

class SealedWeather : public CloudTest {
 protected:
  static constexpr std::size_t kTalkers = 3;

  void open_sealed_room(const std::vector<std::string>& flags = {}) {
    build(kTalkers);
    std::vector<std::string> all_flags{"--host", server_ip(Family::k4)};
    all_flags.insert(all_flags.end(), flags.begin(), flags.end());
    ASSERT_NO_FATAL_FAILURE(start_server(std::move(all_flags)));
    room_ = std::make_unique<SealedRoom>(server(), host(0));
    for (std::size_t i = 0; i < kTalkers; ++i) {
      ASSERT_TRUE(room_->enter(host(i), "m" + std::to_string(i)));
    }
  }
  // Everybody says so many messages, one each `pause`.
  void talk(int messages_each, milliseconds pause) {
    for (int i = 0; i < messages_each; ++i) {
      for (std::size_t talker = 0; talker < kTalkers; ++talker) {
        ASSERT_TRUE(room_->say(talker, std::to_string(next_++)));
      }
      room_->run_for(pause);
    }
  }
  std::uint64_t lost() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kTalkers; ++i) {
      sum += cloud().traffic(line(i), Way::kFromHost).lost;
      sum += cloud().traffic(line(i), Way::kToHost).lost;
    }
    return sum;
  }

  std::unique_ptr<SealedRoom> room_;

 private:
  int next_ = 0;
};

class SealedWeatherOf : public SealedWeather, public testing::WithParamInterface<Conditions> {};

INSTANTIATE_TEST_SUITE_P(
    All, SealedWeatherOf,
    testing::Values(
        Conditions{"Loss1", {.loss = 0.01, .reordering = 0.05, .delay_ms = 25}},
        Conditions{"Loss5", {.loss = 0.05, .reordering = 0.05, .delay_ms = 25}},
        Conditions{"Loss10", {.loss = 0.1, .duplication = 0.1, .reordering = 0.1, .delay_ms = 25}},
        Conditions{"Duplication", {.duplication = 0.5, .delay_ms = 5}},
        Conditions{"Reordering", {.reordering = 0.3, .delay_ms = 5}}),
    [](const auto& conditions) { return conditions.param.name; });

TEST_P(SealedWeatherOf, EverythingIsHeardOnceAndInOneOrder) {
  ASSERT_NO_FATAL_FAILURE(open_sealed_room());
  set_faults(Way::kFromHost, GetParam().faults);
  set_faults(Way::kToHost, GetParam().faults);
  ASSERT_NO_FATAL_FAILURE(talk(60, milliseconds(20)));
  EXPECT_TRUE(room_->settle());
  EXPECT_TRUE(room_->is_complete());
  EXPECT_EQ(lost() > 0, GetParam().faults.loss > 0);
}

TEST_F(SealedWeather, ALineThatDiesForAWhileCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(open_sealed_room());
  ASSERT_NO_FATAL_FAILURE(talk(5, milliseconds(10)));
  cloud().cut(line(1));
  ASSERT_NO_FATAL_FAILURE(talk(30, milliseconds(30)));
  EXPECT_GT(cloud().traffic(line(1), Way::kFromHost).lost, 0u);
  EXPECT_GT(cloud().traffic(line(1), Way::kToHost).lost, 0u);
  EXPECT_LT(room_->talkers()[1].heard.size(), room_->talkers()[0].heard.size());
  cloud().mend(line(1));
  ASSERT_NO_FATAL_FAILURE(talk(5, milliseconds(10)));
  EXPECT_TRUE(room_->settle());
  EXPECT_TRUE(room_->is_complete());
}

// It neither answers nor says that it was gone: the seat is asked for again, over TLS.
TEST_F(SealedWeather, AMemberThatTheServerHasGivenUpComesBackByItself) {
  ASSERT_NO_FATAL_FAILURE(open_sealed_room({"--idle-timeout", "1s"}));
  ASSERT_NO_FATAL_FAILURE(talk(5, milliseconds(10)));
  cloud().cut(line(1));
  const auto members = [this] { return room_->talkers()[0].room.members().size(); };
  const Deadline deadline = kPatience;
  while (members() == kTalkers && !deadline.passed()) room_->run_for(milliseconds(20));
  EXPECT_EQ(members(), kTalkers - 1);
  cloud().mend(line(1));
  while (members() < kTalkers && !deadline.passed()) room_->run_for(milliseconds(20));
  EXPECT_EQ(members(), kTalkers);
  ASSERT_NO_FATAL_FAILURE(talk(5, milliseconds(10)));
  EXPECT_TRUE(room_->settle());
}

// As home routers do it: its port means nothing any more, and nobody tells either side.
class SealedBehindNat : public SealedWeather {
 protected:
  static constexpr const char* kPrivateIp = "192.168.7.2";

  void open_home(const std::vector<std::string>& flags = {}) {
    ASSERT_NO_FATAL_FAILURE(open_sealed_room(flags));
    home_ = std::make_unique<NetworkNamespace>();
    home_line_ = cloud().connect(*home_, {std::string(kPrivateIp) + "/24"});
    home_->ip({"route add default dev cloud"});
    cloud().translate(home_line_, kPrivateIp, "10.9.0.77");
    ASSERT_TRUE(room_->enter(*home_, "bob"));
  }

  std::unique_ptr<NetworkNamespace> home_;
  TunNetwork::Line home_line_ = 0;
};

TEST_F(SealedBehindNat, ARouterThatForgetsItsPortsCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(open_home());
  for (int i = 0; i < 5; ++i) {
    ASSERT_NO_FATAL_FAILURE(talk(10, milliseconds(10)));
    ASSERT_TRUE(room_->say(kTalkers, "bob's " + std::to_string(i)));
    room_->run_for(milliseconds(100));
    cloud().rebind(home_line_);
    ASSERT_TRUE(room_->say(0, "to the old port " + std::to_string(i)));
    room_->run_for(milliseconds(50));
    // He speaks from a port that the server has not seen yet.
    ASSERT_TRUE(room_->say(kTalkers, "bob's, moved " + std::to_string(i)));
  }
  EXPECT_TRUE(room_->settle());
  EXPECT_TRUE(room_->is_complete());
  EXPECT_GE(cloud().traffic(home_line_, Way::kToHost).lost, 5u);
}

// He only listens: what is said meanwhile goes to a port that is nobody's, until he asks.
TEST_F(SealedBehindNat, WhoOnlyListensIsFoundAgainWhenHeAsks) {
  ASSERT_NO_FATAL_FAILURE(open_home({"--idle-timeout", "6s"}));
  ASSERT_NO_FATAL_FAILURE(talk(3, milliseconds(10)));
  EXPECT_TRUE(room_->settle());
  cloud().rebind(home_line_);
  const std::uint64_t lost_before = cloud().traffic(home_line_, Way::kToHost).lost;
  ASSERT_NO_FATAL_FAILURE(talk(3, milliseconds(10)));
  EXPECT_TRUE(room_->settle());
  EXPECT_TRUE(room_->is_complete());
  EXPECT_GT(cloud().traffic(home_line_, Way::kToHost).lost, lost_before);
}

}  // namespace
}  // namespace chatd::test
