// SIGUSR1, or a reload after an upgrade: another process goes on in place of chatd, and nobody
// notices. One that cannot leaves the old one serving.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "tests/e2e/server_test.h"
#include "tests/support/die.h"
#include "tests/support/http.h"
#include "tests/support/process_figures.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

namespace fs = std::filesystem;

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
  const std::size_t descriptors = open_descriptors(first) + 1;  // the line to the first process
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
    EXPECT_TRUE(wait_until([&] { return open_descriptors(server().serving_pid()) <= descriptors; }))
        << i;
  }
  conversation.end();
  another.end();
  EXPECT_NE(server().serving_pid(), first);
  EXPECT_EQ(server().pid(), first);
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
  constexpr std::string_view kMark = "admin endpoint: ";
  const auto line = server().process().wait_for_line(Stream::kStderr, kMark);
  ASSERT_TRUE(line);
  const std::string place = line->substr(line->find(kMark) + kMark.size());
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(http_get(place, "/readyz").status, 200);
}

// Whoever watches the first process sees one that stays as long as the service does: tini, which
// ends a container with its child, a supervisor, or a shell.
TEST_F(Handover, TheFirstProcessEndsWhenTheServiceDoes) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t first = server().pid();
  ASSERT_TRUE(hand_over());
  const pid_t second = server().serving_pid();
  ASSERT_TRUE(hand_over());
  EXPECT_NE(server().serving_pid(), second);
  EXPECT_TRUE(wait_until([&] { return ::kill(second, 0) != 0; })) << "who is between them stays";
  EXPECT_EQ(server().pid(), first);
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
  // What the first process is told, the last one does.
  server().process().kill(SIGTERM);
  for (Member& member : room) EXPECT_TRUE(member.hears_own_removal());
  EXPECT_TRUE(server().stop()) << server().diagnosis();
}

TEST_F(Handover, TheFirstProcessEndsAsTheLastOneDid) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(hand_over());
  ASSERT_EQ(::kill(server().serving_pid(), SIGKILL), 0);
  const auto end = server().process().wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 128 + SIGKILL);
  abandon();
}

// Whoever kills the process that he knows wants the service gone, and its ports free.
TEST_F(Handover, WithoutTheFirstProcessTheLastOneStops) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(hand_over());
  const pid_t last = server().serving_pid();
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  server().process().kill(SIGKILL);
  ASSERT_TRUE(server().process().wait_exit());
  EXPECT_TRUE(room[0].hears_own_removal());
  int status = 0;
  EXPECT_TRUE(wait_until([&] { return ::waitpid(last, &status, WNOHANG) == last; }));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  abandon();
}

// At whatever moment it comes.
TEST_F(Handover, AStopIsNeverLost) {
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    ASSERT_NO_FATAL_FAILURE(start());
    server().process().kill(SIGUSR1);
    // Earlier and later: at once, when the new process starts, when it has taken over; and a little
    // after each.
    if (round % 3 == 1) {
      ASSERT_TRUE(says("hand-over: process"));
    } else if (round % 3 == 2) {
      ASSERT_TRUE(says("handed over to process"));
    }
    for (int i = 0; i < round / 3; ++i) std::this_thread::yield();
    EXPECT_TRUE(server().stop(SIGTERM)) << server().diagnosis();
  }
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

// A container: process 1, and everything ends with it. It is chatd, or what watches chatd and ends
// with it, as tini and docker --init do.
class InAContainer : public testing::TestWithParam<bool> {};

TEST_P(InAContainer, AHandOverEndsNothing) {
  std::vector<std::string> line{"/usr/bin/unshare", "--pid", "--fork", "--kill-child"};
  if (GetParam()) line.insert(line.end(), {"/bin/sh", "-c", R"("$@" & wait $!)", "init"});
  line.insert(line.end(), {ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0"});
  Process container(line);
  if (!container.wait_for_line(Stream::kStdout, "chatd ready ")) {
    GTEST_SKIP() << "no container here: " << container.captured(Stream::kStderr);
  }
  pid_t chatd = children_of(container.pid()).at(0);
  if (GetParam()) chatd = children_of(chatd).at(0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::kill(chatd, SIGUSR1), 0);
    ASSERT_TRUE(wait_until([&] {
      container.pump();
      const std::string& said = container.captured(Stream::kStdout);
      return std::ranges::count(said, '\n') == i + 2;
    })) << container.captured(Stream::kStderr);
  }
  EXPECT_TRUE(container.running());
  ASSERT_EQ(::kill(chatd, SIGTERM), 0);
  const auto end = container.wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0);
  EXPECT_NE(container.captured(Stream::kStderr).find("info stopped"), std::string::npos)
      << container.captured(Stream::kStderr);
}

INSTANTIATE_TEST_SUITE_P(Handover, InAContainer, testing::Bool(), [](const auto& each) {
  return each.param ? "UnderAnInit" : "AsProcess1";
});

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
  void SetUp() override { fs::copy_file(real_, program()); }
  void TearDown() override {
    ServerTest::TearDown();
    fs::remove(program());
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
    fs::rename(fresh, program());
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
    server().process().kill(SIGUSR1);
    const auto said = says("hand-over: the new chatd cannot take over: " + reason);
    if (!said) return said;
    EXPECT_TRUE(server().running());
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

// The new process has read the file already, and the running one does not know yet that it is
// ready.
TEST_F(Upgrade, AReloadThatComesMeanwhileIsDoneByTheNewOne) {
  const std::string admin = "unix:" + program() + ".sock";
  configure("[limits]\nidle_timeout = \"1h\"\n");
  ASSERT_NO_FATAL_FAILURE(start_installed({"--admin", admin}));
  const std::string gate = program() + ".gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  ASSERT_NO_FATAL_FAILURE(install("#!/bin/sh\nread -r line <" + gate + "\n" + with_flags("")));
  server().process().kill(SIGUSR1);
  const auto line = server().process().wait_for_line(Stream::kStderr, "hand-over: process ");
  ASSERT_TRUE(line);
  const std::string fresh = line->substr(line->find("process ") + 8);
  ASSERT_EQ(::kill(server().pid(), SIGSTOP), 0);
  std::ofstream(gate) << "go\n";
  // It opens this when it has its configuration.
  ASSERT_TRUE(
      wait_until([&] { return has_descriptor(std::stoi(fresh), "anon_inode:[signalfd]"); }));
  configure("[limits]\nidle_timeout = \"2h\"\n");
  ASSERT_EQ(::kill(server().pid(), SIGHUP), 0);
  ASSERT_EQ(::kill(server().pid(), SIGCONT), 0);
  ASSERT_TRUE(server().await_hand_over()) << server().diagnosis();
  EXPECT_TRUE(says("reload: limits.idle_timeout = 7200s (was 3600s)"));
  EXPECT_TRUE(wait_until([&] {
    const HttpAnswer config = http_get(admin, "/config");
    return config.body.find(R"("limits.idle_timeout","value":"7200s")") != std::string::npos;
  }));
  ::unlink(gate.c_str());
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

// Versions beside each other, and a symbolic link to the one that is to run.
class Versions : public Handover {
 protected:
  Versions() : directory_(testing::TempDir() + "chatd-versions-XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) die("mkdtemp");
    for (const char* version : {"v1", "v2"}) {
      fs::create_directory(directory_ / fs::path(version));
      fs::copy_file(ChatdServer::program(), file_of(version));
    }
    point_to("v1");
  }
  ~Versions() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  void start_current(const std::string& program) {
    const std::string real = ChatdServer::program();
    ::setenv("CHATD_TEST_PROGRAM", program.c_str(), 1);
    start({"--config", configuration_.path()});
    ::setenv("CHATD_TEST_PROGRAM", real.c_str(), 1);
  }
  void point_to(const std::string& version) const {
    fs::create_directory_symlink(version, directory_ + "/fresh");
    fs::rename(directory_ + "/fresh", directory_ + "/current");
  }
  std::string file_of(const std::string& version) const {
    return directory_ + "/" + version + "/chatd";
  }
  std::string serving_file() {
    return fs::read_symlink("/proc/" + std::to_string(server().serving_pid()) + "/exe").string();
  }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  TemporaryFile configuration_{""};
};

TEST_F(Versions, TheOneThatTheLinkLeadsToNowIsStarted) {
  ASSERT_NO_FATAL_FAILURE(start_current(file_of("current")));
  EXPECT_EQ(serving_file(), file_of("v1"));
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(serving_file(), file_of("v1"));
  point_to("v2");
  fs::remove_all(directory() + "/v1");
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(serving_file(), file_of("v2"));
}

TEST_F(Versions, ThatIsAnotherProgramForAReload) {
  ASSERT_NO_FATAL_FAILURE(start_current(file_of("current")));
  point_to("v2");
  ASSERT_TRUE(hand_over(SIGHUP));
  EXPECT_EQ(serving_file(), file_of("v2"));
  server().process().kill(SIGHUP);
  EXPECT_TRUE(says("reload: nothing has changed"));
}

// Started from within the folder that the link leads to; the shell calls it by the link's name.
TEST_F(Versions, ARelativePathIsOneThroughTheLinkToo) {
  const std::string script = directory() + "/start";
  std::ofstream(script) << "#!/bin/sh\ncd " << directory() << "/current && exec ./chatd \"$@\"\n";
  fs::permissions(script, fs::perms::owner_all);
  ASSERT_NO_FATAL_FAILURE(start_current(script));
  point_to("v2");
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(serving_file(), file_of("v2"));
}

}  // namespace
}  // namespace chatd::test
