// chatctl has chatd do something, and the members notice.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/e2e/chatctl/ctl_test.h"

namespace chatd::test {
namespace {

TEST_F(CtlTest, KickIsHeardByTheMemberAndTheOthers) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "the den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  EXPECT_EQ(shown({"kick", "the den", "bob"}), "bob has been put out of the den\n");
  EXPECT_TRUE(room[1].hears_own_removal());
  EXPECT_TRUE(room[0].hears_left("bob"));
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "admin: \"bob\" was put out of"))
      << server().diagnosis();
  const CtlOutcome again = ctl({"kick", "the den", "bob"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_TRUE(again.err.starts_with("chatctl: nobody of this name is in the room; ")) << again.err;
}

TEST_F(CtlTest, KickWithJson) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  const JsonObject done(shown({"kick", "den", "bob", "--json"}));
  EXPECT_EQ(done.text("title"), "bob has been put out of den");
  const CtlOutcome refused = ctl({"kick", "attic", "bob", "--json"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(JsonObject(refused.out).text("title"), "there is no such room");
}

TEST_F(CtlTest, ClosingARoomTellsItsMembersAndNoOthers) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto den = make_room(server(), "den", {"alice", "bob"});
  auto attic = make_room(server(), "attic", {"carol", "dave"});
  ASSERT_EQ(den.size() + attic.size(), 4u);
  EXPECT_EQ(shown({"close-room", "den"}),
            "the room den has been closed, and its members were told\n");
  for (Member& member : den) EXPECT_TRUE(member.hears_own_removal());
  EXPECT_TRUE(all_is_heard(attic));
  const CtlOutcome again = ctl({"close-room", "den"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_TRUE(again.err.starts_with("chatctl: there is no such room; ")) << again.err;
}

TEST_F(CtlTest, DrainEndsChatdWhenAllHaveGone) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto member = Member::create(server(), "den", "alice");
  ASSERT_TRUE(member);
  EXPECT_TRUE(has(shown({"drain"}), "asked to drain"));
  EXPECT_TRUE(wait_until([&] { return has(shown({"status"}), ", draining\n"); }));
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "draining: nobody is let in"));
  EXPECT_TRUE(server().running());
  member->leave();
  const auto exit = server().process().wait_exit();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 0);
}

TEST_F(CtlTest, ReloadSaysWhatHasChanged) {
  const TemporaryFile file("[limits]\nmax_rooms = 100\n");
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--config", file.path()}));
  const std::string loaded = "the configuration has been loaded again\n  ";
  EXPECT_EQ(shown({"reload"}), loaded + "nothing has changed\n");
  std::ofstream(file.path()) << "[limits]\nmax_rooms = 1\nidle_timeout = \"1h\"\n";
  EXPECT_EQ(shown({"reload"}),
            loaded +
                "limits.idle_timeout = 3600s (was 300s)\n"
                "  limits.max_rooms = 1 needs a restart; 100 stays in "
                "force\n"
                "  what needs a restart comes by SIGUSR1 without losing anybody; "
                "the address, the ports (but for TLS) and the number of shards do not\n");
  const JsonObject json(shown({"reload", "--json"}));
  EXPECT_EQ(json.texts("lines").size(), 2u);
}

TEST_F(CtlTest, ReloadSaysWhatIsWrongAndWhere) {
  const TemporaryFile file("");
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--config", file.path()}));
  std::ofstream(file.path()) << "[limits]\nmax_romms = 3\n";
  const CtlOutcome outcome = ctl({"reload"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(has(outcome.err, "nothing has changed; mend what is listed")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "chatd.toml:2:1: ")) << outcome.err;
}

// The program at chatd's path is another one now.
TEST_F(CtlTest, ReloadAfterAnUpgradeWaitsForTheNewProgram) {
  const std::string program = directory() + "/chatd";
  const std::string real = ChatdServer::program();
  const auto install = [&](const std::function<void(const std::string&)>& write) {
    write(program + ".new");
    std::filesystem::permissions(program + ".new", std::filesystem::perms::owner_all);
    std::filesystem::rename(program + ".new", program);
  };
  const auto install_real = [&] {
    install([&](const std::string& to) { std::filesystem::copy_file(real, to); });
  };
  const TemporaryFile file("[limits]\nidle_timeout = \"1h\"\n");
  install_real();
  ::setenv("CHATD_TEST_PROGRAM", program.c_str(), 1);
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--config", file.path()}));
  ::setenv("CHATD_TEST_PROGRAM", real.c_str(), 1);
  for (int i = 0; i < 5; ++i) {
    install_real();
    const std::string said = shown({"reload"});
    ASSERT_TRUE(server().await_hand_over()) << server().diagnosis();
    EXPECT_EQ(said, "the configuration has been loaded again\n  process " +
                        std::to_string(server().serving_pid()) +
                        " has taken over, with the configuration as it is now\n");
  }
  // One that cannot take over: this one reloads, and says why.
  install([](const std::string& to) { std::ofstream(to) << "#!/bin/sh\nexit 1\n"; });
  std::ofstream(file.path()) << "[limits]\nidle_timeout = \"2h\"\n";
  EXPECT_EQ(shown({"reload"}),
            "the configuration has been loaded again\n"
            "  hand-over: the new chatd cannot take over: it has ended; what it wrote itself says "
            "why; this one goes on\n"
            "  limits.idle_timeout = 7200s (was 3600s)\n");
}

// nohup(1) lets chatd hear no SIGHUP.
TEST_F(CtlTest, ReloadIsNoSignal) {
  const TemporaryFile file("[limits]\nidle_timeout = \"1h\"\n");
  ASSERT_NO_FATAL_FAILURE(
      start({"--config", file.path(), "--admin", place()}, {.ignored_signals = {SIGHUP}}));
  std::ofstream(file.path()) << "[limits]\nidle_timeout = \"2h\"\n";
  EXPECT_TRUE(has(shown({"reload"}), "limits.idle_timeout = 7200s (was 3600s)"));
}

// SIGHUP would end it.
TEST_F(CtlTest, ReloadWithoutAFileChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  const CtlOutcome outcome = ctl({"reload"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has(outcome.err, "without a configuration file")) << outcome.err;
  EXPECT_TRUE(has(shown({"status"}), ", serving\n"));
}

TEST_F(CtlTest, TheLogLevelChangesUntilTheNextReload) {
  const TemporaryFile file("[log]\nlevel = \"info\"\n");
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--config", file.path()}));
  EXPECT_TRUE(shown({"log-level", "error"}).starts_with("the log level is error until "));
  const auto quiet = Member::create(server(), "quiet", "alice");
  ASSERT_TRUE(quiet);
  shown({"kick", "quiet", "alice"});  // would be logged
  shown({"reload"});
  shown({"log-level", "debug"});
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "the log level becomes debug"));
  EXPECT_FALSE(has(server().diagnosis(), "was put out")) << server().diagnosis();
  const CtlOutcome refused = ctl({"log-level", "loud"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(refused.err.starts_with("chatctl: this is not a log level; ")) << refused.err;
}

}  // namespace
}  // namespace chatd::test
