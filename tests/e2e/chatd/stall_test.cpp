// chatd gets no processor for longer than its timeouts: a stopped process, a paused container or
// virtual machine. What came meanwhile waits in its sockets, and proves who was there.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;

class Stalls : public ServerTest {
 protected:
  // All of its threads: a signal takes its time.
  bool is_stopped() {
    const std::string tasks = "/proc/" + std::to_string(server().pid()) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      std::ifstream file(task.path() / "stat");
      std::string text;
      std::getline(file, text);
      if (text.find(") T ") == std::string::npos) return false;
    }
    return true;
  }
  // Lets everybody say what they have to say while chatd stands still for longer than the timeouts.
  template <class Say>
  void stall(milliseconds how_long, Say say) {
    server().process().kill(SIGSTOP);
    ASSERT_TRUE(wait_until([this] { return is_stopped(); }));
    const Deadline over = how_long;
    say();
    wait_until([&over] { return over.passed(); });
    server().process().kill(SIGCONT);
  }
};

// Several times, so that chatd is stopped in different places of its turn.
TEST_F(Stalls, WhoWasThereStaysAndWhoWasSilentGoes) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "700ms", "--handshake-timeout", "700ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  for (int i = 0; i < 4; ++i) {
    const std::string name = "silent " + std::to_string(i);
    auto silent = Member::join(server(), "room", name);
    ASSERT_TRUE(silent);
    for (Member& member : room) ASSERT_TRUE(member.hears_joined(name));
    TcpPeer asker(server().tcp());
    ASSERT_TRUE(asker.read_greeting());
    TcpPeer idler(server().tcp());
    ASSERT_TRUE(idler.read_greeting());
    std::string said;
    stall(milliseconds(900), [&] {
      for (int beats = 0; beats < 200; ++beats) room[1].heartbeat();
      said = room[0].say("I was here all the time");
      ASSERT_TRUE(asker.send(encode(list_request())));
    });
    EXPECT_TRUE(room[1].hears(said));
    EXPECT_TRUE(room[0].hears_left(name));
    EXPECT_TRUE(room[1].hears_left(name));
    EXPECT_TRUE(silent->hears(said));
    EXPECT_TRUE(silent->hears_own_removal());
    const auto answer = asker.read_frame();
    ASSERT_TRUE(answer) << "a request that waited was not answered";
    EXPECT_EQ(answer->state, kCompleted);
    EXPECT_EQ(idler.wait_end(), StreamEnd::kOrderly);
  }
  const Counters counted = totals();
  EXPECT_EQ(counted["members_timed_out"], 4U);
  EXPECT_EQ(counted["connections_timed_out"], 4U);
}

// More than one turn reads: a thousand members' heartbeats, and none of them is lost.
TEST_F(Stalls, AllThatWaitsIsReadBeforeAnybodyIsJudged) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "3s", "--handshake-timeout", "60s"}));
  std::vector<Member> members;
  TcpPeer control(server().tcp());
  for (int i = 0; i < 1'000; ++i) {
    const std::string room = "room " + std::to_string(i);
    auto member = Member::create(server(), room, "host", {.control = &control});
    ASSERT_TRUE(member);
    members.push_back(std::move(*member));
    if (i % 100 == 99) {
      for (Member& each : members) each.heartbeat();
    }
  }
  stall(milliseconds(3'200), [&] {
    for (Member& member : members) member.heartbeat();
  });
  EXPECT_EQ(TcpPeer(server().tcp()).join("room 999", fields_of("guest")).status(), 201);
  TcpPeer asker(server().tcp());
  const auto answer = asker.request(list_request());
  ASSERT_TRUE(answer.completed);
  EXPECT_EQ(JsonObject(answer.completed->payload).number("total"), 1'000);
}

}  // namespace
}  // namespace chatd::test
