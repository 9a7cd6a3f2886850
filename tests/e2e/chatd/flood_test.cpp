// A large room that is never quiet, while others come to it and go: the rest of the house lives on,
// through a hand-over too, and a stop is told to everybody.
#include <atomic>
#include <csignal>
#include <thread>

#include "tests/e2e/chatd/handover_kit.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kCrowd = 300;
constexpr int kAtOnce = 200;  // fewer than a room's log holds

bool is_farewell(const std::string& payload) {
  return payload.find("You have been disconnected") != std::string::npos;
}

// Two people in a room of their own. Each says something when the other has been heard; the first
// message that does not come ends it.
class QuietPair {
 public:
  explicit QuietPair(std::vector<Member>& pair) : pair_(pair), thread_([this] { talk(); }) {}
  QuietPair(const QuietPair&) = delete;
  QuietPair& operator=(const QuietPair&) = delete;
  ~QuietPair() { end(); }

  // Whether they go on to hear each other.
  bool goes_on() const {
    const int before = heard_;
    return wait_until([&] { return heard_ > before + 5 || has_failed_; }) && !has_failed_;
  }
  void end() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  void talk() {
    while (!is_over_ && !has_failed_) {
      const std::size_t sender = static_cast<std::size_t>(heard_) % 2;
      const std::string said = pair_[sender].say(std::to_string(heard_));
      const testing::AssertionResult heard = pair_[1 - sender].hears(said);
      EXPECT_TRUE(heard);
      has_failed_ = !heard;
      ++heard_;
    }
  }

  std::vector<Member>& pair_;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> has_failed_ = false;
  std::atomic<int> heard_ = 0;
  std::thread thread_;  // the last: it uses the others
};

class Flooded : public Handover {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(start({"--rate-limits", "off"}));
    for (int i = 0; i < kCrowd; ++i) {
      const std::string name = "m" + std::to_string(i);
      auto member = i == 0 ? Member::create(server(), "crowd", name)
                           : Member::join(server(), "crowd", name, {.control = &control()});
      ASSERT_TRUE(member);
      crowd_.push_back(std::move(*member));
    }
    pair_ = make_room(server(), "pair", {"alice", "bob"});
    ASSERT_EQ(pair_.size(), 2U);
    flood_ = std::thread([this] { flood(); });
    visits_ = std::thread([this] { visit(); });
    ASSERT_TRUE(wait_until([this] { return rounds_ > 3 && visitors_ > 3; }));
  }
  void TearDown() override {
    end_flood();
    Handover::TearDown();
  }

  void end_flood() {
    is_over_ = true;
    if (flood_.joinable()) flood_.join();
    if (visits_.joinable()) visits_.join();
  }
  void end_visits() {
    has_guests_enough_ = true;
    visits_.join();
  }
  bool is_flooded() const {
    const int rounds = rounds_;
    const int visitors = visitors_;
    return wait_until([&] { return rounds_ > rounds + 1 && visitors_ > visitors + 1; });
  }

  std::vector<Member> crowd_;
  std::vector<Member> pair_;
  std::atomic<bool> crowd_has_heard_the_end_ = false;

 private:
  TcpPeer& control() {
    if (!control_) control_.emplace(server().tcp());
    return *control_;
  }

  // As much as can wait in the room, and the same again as soon as one of them has heard it. The
  // others take what their sockets hold.
  void flood() {
    while (!is_over_) {
      std::string last;
      for (int i = 0; i < kAtOnce; ++i) {
        last = crowd_[1].say(std::to_string(rounds_) + "." + std::to_string(i));
      }
      auto heard = crowd_[2].hear();
      while (heard && *heard != last && !is_farewell(*heard)) heard = crowd_[2].hear();
      crowd_has_heard_the_end_ = heard && is_farewell(*heard);
      if (!heard || crowd_has_heard_the_end_) return;
      ++rounds_;
    }
  }
  void visit() {
    TcpPeer control(server().tcp());
    while (!is_over_ && !has_guests_enough_) {
      auto guest = Member::join(server(), "crowd", "guest" + std::to_string(visitors_),
                                {.control = &control});
      if (!guest) return;
      guest->leave();
      ++visitors_;
    }
  }

  std::optional<TcpPeer> control_;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> has_guests_enough_ = false;
  std::atomic<int> rounds_ = 0;
  std::atomic<int> visitors_ = 0;
  std::thread flood_;
  std::thread visits_;
};

TEST_F(Flooded, AHandOverLosesNothingElsewhere) {
  QuietPair pair(pair_);
  EXPECT_TRUE(pair.goes_on());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(hand_over()) << i;
    EXPECT_TRUE(pair.goes_on()) << i;
    EXPECT_TRUE(is_flooded()) << i;
  }
  pair.end();
  end_flood();
  EXPECT_TRUE(all_is_heard(pair_));
  EXPECT_EQ(totals()["receive_buffer_drops"], 0U);
}

TEST_F(Flooded, AStopIsToldToEverybody) {
  ASSERT_TRUE(is_flooded());
  end_visits();  // a stop refuses whoever comes
  ASSERT_EQ(::kill(server().pid(), SIGTERM), 0);
  for (Member& member : pair_) EXPECT_TRUE(member.hears_own_removal());
  end_flood();
  while (!crowd_has_heard_the_end_) {
    const auto heard = crowd_[2].hear();
    ASSERT_TRUE(heard) << "one of the crowd was not told";
    crowd_has_heard_the_end_ = is_farewell(*heard);
  }
  EXPECT_EQ(totals()["members_disconnected"], kCrowd + 2U);
}

}  // namespace
}  // namespace chatd::test
