// SIGUSR1: another process goes on in place of chatd, and nobody notices.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/e2e/chatd/handover_kit.h"
#include "tests/support/http.h"
#include "tests/support/process_figures.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// A room in which everybody talks without a pause: each says a few things, everybody else hears
// them, each once and in their order, and then it goes on.
class MemberSession {
 public:
  explicit MemberSession(std::vector<Member>& room) : room_(room), thread_([this] { talk(); }) {}
  MemberSession(const MemberSession&) = delete;
  MemberSession& operator=(const MemberSession&) = delete;
  ~MemberSession() { end(); }

  void end() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t rounds() const { return rounds_; }
  bool has_failed() const { return has_failed_; }

 private:
  static constexpr int kAtOnce = 20;

  void talk() {
    while (!is_over_ && !has_failed_) {
      for (std::size_t sender = 0; sender < room_.size() && !has_failed_; ++sender) {
        has_failed_ = !turn(sender);
      }
      ++rounds_;
    }
  }

  bool turn(std::size_t sender) {
    std::vector<std::string> said;
    for (int i = 0; i < kAtOnce; ++i) {
      said.push_back(room_[sender].say(std::to_string(rounds_) + "." + std::to_string(i)));
    }
    for (std::size_t listener = 0; listener < room_.size(); ++listener) {
      if (listener == sender) continue;
      for (const std::string& payload : said) {
        const auto heard = room_[listener].hears(payload);
        EXPECT_TRUE(heard) << "by " << listener << " in round " << rounds_;
        if (!heard) return false;
      }
    }
    return true;
  }

  std::vector<Member>& room_;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> has_failed_ = false;
  std::atomic<std::uint64_t> rounds_ = 0;
  std::thread thread_;  // the last: it uses the others
};

TEST_F(Handover, TenTimesUnderLoadWithoutALoss) {
  ASSERT_NO_FATAL_FAILURE(start({"--rate-limits", "off"}));
  auto room = make_room(server(), "room", {"alice", "bob", "carol", "dan"});
  auto other = make_room(server(), "another", {"erin", "frank", "grace"});
  ASSERT_EQ(room.size() + other.size(), 7U);
  MemberSession session(room);
  MemberSession another(other);
  const pid_t first = server().pid();
  const std::size_t descriptors = open_descriptors(first) + 1;  // the line to the first process
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t rounds = session.rounds();
    const std::uint64_t other_rounds = another.rounds();
    ASSERT_TRUE(hand_over()) << i;
    ASSERT_TRUE(wait_until([&] {
      return (session.rounds() > rounds + 1 && another.rounds() > other_rounds + 1) ||
             session.has_failed() || another.has_failed();
    }));
    ASSERT_FALSE(session.has_failed() || another.has_failed()) << i;
    // Fewer when those who came over TCP have gone; more, for longer than the line between the two
    // is there, would be a leak.
    EXPECT_TRUE(wait_until([&] { return open_descriptors(server().serving_pid()) <= descriptors; }))
        << i;
  }
  session.end();
  another.end();
  EXPECT_NE(server().serving_pid(), first);
  EXPECT_EQ(server().pid(), first);
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_TRUE(all_is_heard(other));
  const Counters counted = totals();  // of all eleven processes; the ledger is closed
  const std::uint64_t accepted = 20 * (4 * session.rounds() + 3 * another.rounds()) + 4;
  EXPECT_EQ(counted["messages_accepted"], accepted);
  EXPECT_EQ(counted["deliveries_sent"],
            20 * (4 * 3 * session.rounds() + 3 * 2 * another.rounds()) + 2 * 3 + 2 * 2);
  EXPECT_EQ(counted["receive_buffer_drops"], 0U);
  EXPECT_EQ(counted["members_joined"], 7U);
}

TEST_F(Handover, ConnectionsGoOnWhereTheyWere) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer idle(server().tcp());
  ASSERT_TRUE(idle.read_greeting());
  TcpPeer half(server().tcp());
  ASSERT_TRUE(half.read_greeting());
  const std::string request = encode(create_request("room", "alice"));
  ASSERT_TRUE(half.send(request.substr(0, 40)));
  // What has been answered on a later connection came after the half.
  EXPECT_TRUE(TcpPeer(server().tcp()).request(list_request()).completed);
  ASSERT_TRUE(hand_over());
  ASSERT_TRUE(half.send(request.substr(40)));
  EXPECT_EQ(half.read_answer().status(), 201);
  EXPECT_EQ(idle.request(join_request("room", "bob")).status(), 201);
  EXPECT_EQ(idle.request(join_request("room", "bob")).status(), 409);
  EXPECT_EQ(totals()["connections_accepted"], 3U);
}

TEST_F(Handover, RoomsStayWithTheirHostsPasswordsAndCounts) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"}, {.password = "secret"});
  ASSERT_EQ(room.size(), 2U);
  ASSERT_TRUE(hand_over());
  TcpPeer peer(server().tcp());
  EXPECT_EQ(peer.join("room", fields_of("carol", "guess")).status(), 401);
  EXPECT_EQ(peer.join("room", fields_of("bob", "secret")).status(), 409);
  EXPECT_EQ(peer.create("room", fields_of("carol")).status(), 409);
  auto carol = Member::join(server(), "room", "carol", {.password = "secret"});
  ASSERT_TRUE(carol);
  for (Member& member : room) EXPECT_TRUE(member.hears_joined("carol"));
  room[0].leave();
  EXPECT_TRUE(room[1].hears_left("alice"));
  EXPECT_TRUE(room[1].hears_own_removal());
}

TEST_F(Handover, TheAdminEndpointMovesAlong) {
  const TemporaryFile place("");
  const std::string socket = place.path() + ".sock";
  ASSERT_NO_FATAL_FAILURE(start({"--admin", "unix:" + socket}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  ASSERT_TRUE(hand_over());
  const HttpAnswer rooms = http_get("unix:" + socket, "/rooms");
  EXPECT_EQ(rooms.status, 200);
  EXPECT_NE(rooms.body.find(R"("room")"), std::string::npos) << rooms.body;
  EXPECT_EQ(http_get("unix:" + socket, "/readyz").status, 200);
  totals();
  ::unlink(socket.c_str());
}

// Whoever asks meanwhile is answered, by the one or by the other.
TEST_F(Handover, TheAdminEndpointAnswersAllTheTime) {
  const TemporaryFile place("");
  const std::string socket = "unix:" + place.path() + ".sock";
  ASSERT_NO_FATAL_FAILURE(start({"--admin", socket}));
  std::atomic<bool> is_over = false;
  std::atomic<int> answered = 0;
  std::atomic<int> not_answered = 0;
  std::thread asker([&] {
    while (!is_over) ++(http_get(socket, "/readyz").status == 200 ? answered : not_answered);
  });
  for (int i = 0; i < 10; ++i) {
    const int before = answered;
    ASSERT_TRUE(hand_over()) << i;
    EXPECT_TRUE(wait_until([&] { return answered > before + 5 || not_answered > 0; }));
  }
  is_over = true;
  asker.join();
  EXPECT_EQ(not_answered, 0);
}

// Who is kept on a connection is disconnected, and finds the next chatd at the same place.
TEST_F(Handover, AnAdminPortThatTheKernelPickedStaysTheSame) {
  ASSERT_NO_FATAL_FAILURE(start({"--admin", "127.0.0.1:0"}));
  const std::string place = server().admin_place();
  ASSERT_FALSE(place.empty());
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(http_get(place, "/readyz").status, 200);
}

TEST_F(Handover, NotWhileDraining) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  server().process().kill(SIGUSR2);
  ASSERT_TRUE(says("draining: "));
  server().process().kill(SIGUSR1);
  EXPECT_TRUE(says("no hand-over: chatd is draining"));
  EXPECT_TRUE(server().running());
}

// As when its quota has changed meanwhile: the sockets and the shards are there already.
TEST_F(Handover, TheAutomaticNumberOfShardsStays) {
  if (ChatdServer::has_several_shards()) GTEST_SKIP() << "says how many by itself";
  start({"--shards", "auto"});
  const auto serving = server().process().wait_for_line(Stream::kStderr, "serving: ");
  ASSERT_TRUE(serving.has_value());
  if (serving->ends_with("shards: 1")) GTEST_SKIP() << "one processor alone";
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t processor = 0; CPU_COUNT(&one) == 0; ++processor) {
    if (CPU_ISSET(processor, &all)) CPU_SET(processor, &one);
  }
  ASSERT_EQ(::sched_setaffinity(server().serving_pid(), sizeof one, &one), 0);
  ASSERT_TRUE(hand_over());
  EXPECT_TRUE(says("shards: auto stays "));
  EXPECT_TRUE(room[1].hears(room[0].say("hello")));
}

}  // namespace
}  // namespace chatd::test
