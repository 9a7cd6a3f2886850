// SIGUSR1, or a reload after an upgrade: another process goes on in place of chatd, and nobody
// notices. One that cannot leaves the old one serving.
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/e2e/server_test.h"
#include "tests/support/http.h"
#include "tests/support/process_figures.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

class Handover : public ServerTest {
 protected:
  testing::AssertionResult hand_over(int signal = SIGUSR1) {
    if (server().hand_over(signal)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << server().diagnosis();
  }
  testing::AssertionResult says(std::string_view text) {
    if (server().process().wait_for_text(Stream::kStderr, text)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not said: " << text << "\n" << server().diagnosis();
  }
};

// A room in which everybody talks without a pause: each says a few things, everybody else hears
// them, each once and in their order, and then it goes on.
class Conversation {
 public:
  explicit Conversation(std::vector<Member>& room) : room_(room), thread_([this] { talk(); }) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() { end(); }

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
      for (std::size_t speaker = 0; speaker < room_.size() && !has_failed_; ++speaker) {
        has_failed_ = !turn(speaker);
      }
      ++rounds_;
    }
  }

  bool turn(std::size_t speaker) {
    std::vector<std::string> said;
    for (int i = 0; i < kAtOnce; ++i) {
      said.push_back(room_[speaker].say(std::to_string(rounds_) + "." + std::to_string(i)));
    }
    for (std::size_t listener = 0; listener < room_.size(); ++listener) {
      if (listener == speaker) continue;
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
  ASSERT_NO_FATAL_FAILURE(start({"--limits", "off"}));
  auto room = make_room(server(), "room", {"alice", "bob", "carol", "dan"});
  auto other = make_room(server(), "another", {"erin", "frank", "grace"});
  ASSERT_EQ(room.size() + other.size(), 7U);
  Conversation conversation(room);
  Conversation another(other);
  const pid_t first = server().pid();
  const std::size_t descriptors = open_descriptors(first);
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t rounds = conversation.rounds();
    const std::uint64_t other_rounds = another.rounds();
    ASSERT_TRUE(hand_over()) << i;
    ASSERT_TRUE(wait_until([&] {
      return (conversation.rounds() > rounds + 1 && another.rounds() > other_rounds + 1) ||
             conversation.has_failed() || another.has_failed();
    }));
    ASSERT_FALSE(conversation.has_failed() || another.has_failed()) << i;
    // Fewer when those who came over TCP have gone; more, for longer than the line between the two
    // is there, would be a leak.
    EXPECT_TRUE(wait_until([&] { return open_descriptors(server().pid()) <= descriptors; })) << i;
  }
  conversation.end();
  another.end();
  EXPECT_NE(server().pid(), first);
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_TRUE(all_is_heard(other));
  const Counters counted = totals();  // of all eleven processes; the ledger is closed
  const std::uint64_t accepted = 20 * (4 * conversation.rounds() + 3 * another.rounds()) + 4;
  EXPECT_EQ(counted["messages_accepted"], accepted);
  EXPECT_EQ(counted["deliveries_sent"],
            20 * (4 * 3 * conversation.rounds() + 3 * 2 * another.rounds()) + 2 * 3 + 2 * 2);
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

TEST(HandoverVariable, IsNotForPeople) {
  Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0"},
                {.environment = {{"CHATD_HANDOVER_FD", "7"}}});
  const auto status = chatd.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_NE(chatd.captured(Stream::kStderr).find("CHATD_HANDOVER_FD is in the environment"),
            std::string::npos)
      << chatd.captured(Stream::kStderr);
}

// chatd from a file of its own, which an upgrade replaces.
class Upgrade : public Handover {
 protected:
  void SetUp() override { std::filesystem::copy_file(real_, program()); }
  void TearDown() override {
    ServerTest::TearDown();
    std::filesystem::remove(program());
  }

  void start_installed(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--config", configuration_.path()});
    ::setenv("CHATD_TEST_PROGRAM", program().c_str(), 1);
    start(std::move(flags));
    ::setenv("CHATD_TEST_PROGRAM", real_.c_str(), 1);
    room_ = make_room(server(), "room", {"alice", "bob"});
    ASSERT_EQ(room_.size(), 2U);
  }

  // As a package manager does it: the new file is moved over the old one.
  void install(const std::string& script) {
    const std::string fresh = program() + ".new";
    std::ofstream(fresh) << script;
    ASSERT_EQ(::chmod(fresh.c_str(), 0755), 0);
    std::filesystem::rename(fresh, program());
  }
  // The real chatd with other flags behind those that it gets.
  static std::string with_flags(const std::string& flags) {
    return "#!/bin/sh\nexec " + real_ + " \"$@\" " + flags + "\n";
  }
  // The same with nothing but these.
  std::string with_only(const std::string& flags) const {
    return "#!/bin/sh\nexec " + real_ + " --tcp-port 0 --udp-port 0 --config " +
           configuration_.path() + " " + flags + "\n";
  }
  void configure(const std::string& text) { std::ofstream(configuration_.path()) << text; }
  std::string program() const { return configuration_.path() + ".chatd"; }
  std::vector<Member>& room() { return room_; }

  // Whether the old one says why the new one cannot, and goes on.
  testing::AssertionResult fails(const std::string& reason) {
    const pid_t before = server().pid();
    server().process().kill(SIGUSR1);
    const auto said = says("hand-over: the new chatd cannot take over: " + reason);
    if (!said) return said;
    EXPECT_TRUE(server().running());
    EXPECT_EQ(server().pid(), before);
    return all_is_heard(room_);
  }

 private:
  static inline const std::string real_ = ChatdServer::program();

  TemporaryFile configuration_{""};
  std::vector<Member> room_;
};

TEST_F(Upgrade, ANewChatdThatFailsLeavesTheOldOneServing) {
  const std::string admin = "unix:" + program() + ".sock";
  ASSERT_NO_FATAL_FAILURE(start_installed({"--admin", admin}));
  ASSERT_NO_FATAL_FAILURE(install("#!/bin/sh\nexit 1\n"));
  EXPECT_TRUE(fails("it has ended"));
  ASSERT_NO_FATAL_FAILURE(install("no program at all"));
  EXPECT_TRUE(fails("cannot start " + program()));
  ASSERT_NO_FATAL_FAILURE(install(with_flags("--max-members 1")));
  EXPECT_TRUE(fails("there are 2 members, and --max-members is 1 now"));
  ASSERT_NO_FATAL_FAILURE(install(with_only("--shards 7")));
  EXPECT_TRUE(fails("it has --shards"));
  ASSERT_NO_FATAL_FAILURE(install(with_flags("--host ::1")));
  EXPECT_TRUE(fails("it listens on --host 127.0.0.1 --tcp-port 0 --udp-port 0, and is to listen"));
  ASSERT_NO_FATAL_FAILURE(
      install(with_only("--admin unix:/nowhere/admin.sock --shards ${CHATD_TEST_SHARDS:-1}")));
  EXPECT_TRUE(fails("cannot listen on /nowhere/admin.sock"));
  EXPECT_TRUE(wait_until([&] { return http_get(admin, "/readyz").status == 200; }));
  configure("nonsense = 1\n");
  ASSERT_NO_FATAL_FAILURE(install(with_flags("")));
  EXPECT_TRUE(fails("it has ended"));
  configure("");
  ASSERT_TRUE(hand_over());
  EXPECT_TRUE(all_is_heard(room()));
}

// A reload that came with an upgrade is not lost when the upgrade fails.
TEST_F(Upgrade, AReloadIsDoneHereIfTheNewOneCannotTakeOver) {
  configure("[limits]\nidle_timeout = \"1h\"\n");
  ASSERT_NO_FATAL_FAILURE(start_installed());
  ASSERT_NO_FATAL_FAILURE(install("#!/bin/sh\nexit 1\n"));
  configure("[limits]\nidle_timeout = \"2h\"\n");
  server().process().kill(SIGHUP);
  EXPECT_TRUE(says("reload: another program is at"));
  EXPECT_TRUE(says("cannot take over: it has ended"));
  EXPECT_TRUE(says("reload: limits.idle_timeout = 7200s (was 3600s)"));
  ASSERT_NO_FATAL_FAILURE(install(with_flags("--max-members 1")));
  configure("[limits]\nidle_timeout = \"3h\"\n");
  server().process().kill(SIGHUP);
  EXPECT_TRUE(says("cannot take over: there are 2 members"));
  EXPECT_TRUE(says("reload: limits.idle_timeout = 10800s (was 7200s)"));
  EXPECT_TRUE(all_is_heard(room()));
}

// What needs a restart takes a hand-over.
TEST_F(Upgrade, TakesANewConfigurationWhole) {
  configure("[limits]\nmax_rooms = 1\n");
  ASSERT_NO_FATAL_FAILURE(start_installed());
  TcpPeer before(server().tcp());
  EXPECT_EQ(before.create("second", fields_of("carol")).status(), 503);
  configure("[limits]\nmax_rooms = 2\n");
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(before.create("second", fields_of("carol")).status(), 201);
  EXPECT_TRUE(all_is_heard(room()));
}

TEST_F(Upgrade, ComesWithTheNextReload) {
  ASSERT_NO_FATAL_FAILURE(start_installed());
  server().process().kill(SIGHUP);
  EXPECT_TRUE(says("reload: nothing has changed"));
  ASSERT_NO_FATAL_FAILURE(install(with_flags("--idle-timeout 1h")));
  ASSERT_TRUE(hand_over(SIGHUP));
  EXPECT_TRUE(says("reload: another program is at " + program()));
  EXPECT_TRUE(all_is_heard(room()));
}

}  // namespace
}  // namespace chatd::test
