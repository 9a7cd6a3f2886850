// Another program in the place of the one that runs: a hand-over, or a reload, starts it. One that
// cannot take over leaves the old one serving.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tests/e2e/chatd/handover_kit.h"
#include "tests/support/die.h"
#include "tests/support/http.h"
#include "tests/support/process_figures.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

namespace fs = std::filesystem;

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
    return "#!/bin/sh\nexec " + real_ + " --tcp-port 0 --udp-port 0 --tls-port 0 --config " +
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
