// SIGHUP: the configuration changes under people who talk, or it does not.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/temporary_file.h"

namespace chatd::test {
namespace {

class Reload : public ServerTest {
 protected:
  void start_with(const std::string& text, std::vector<std::string> flags = {}) {
    write(text);
    flags.insert(flags.end(), {"--config", file_.path()});
    start(std::move(flags));
  }
  void write(const std::string& text) { std::ofstream(file_.path()) << text; }
  // What the log says of it.
  testing::AssertionResult reload(std::string_view says) {
    server().process().kill(SIGHUP);
    if (server().process().wait_for_text(Stream::kStderr, says)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not said: " << says << "\n" << server().diagnosis();
  }

  std::string path() const { return file_.path(); }

 private:
  TemporaryFile file_{""};
};

TEST_F(Reload, NewLimitsHoldForMembersWhoAreThere) {
  ASSERT_NO_FATAL_FAILURE(start_with("[abuse]\nmax_member_messages = 1000\n"));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
  write("[abuse]\nmax_member_messages = 1\n");
  ASSERT_TRUE(reload("reload: abuse.max_member_messages = 1 (was 1000)"));
  for (int i = 0; i < 20; ++i) room[0].say("too much");
  EXPECT_TRUE(room[0].hears(
      R"({"sender":"Server","message":"You are sending too fast: some of your messages were not delivered"})"));
  EXPECT_GT(totals()["messages_over_limit"], 0U);
}

TEST_F(Reload, AShorterIdleTimeoutRemovesWhoIsSilent) {
  ASSERT_NO_FATAL_FAILURE(start_with("[limits]\nidle_timeout = \"1h\"\n"));
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  write("[limits]\nidle_timeout = \"50ms\"\n");
  ASSERT_TRUE(reload("reload: limits.idle_timeout = 50ms (was 3600s)"));
  EXPECT_TRUE(room[0].hears_own_removal());
}

TEST_F(Reload, ABadFileChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(start_with("[limits]\nidle_timeout = \"1h\"\n"));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  write("[limits]\nidle_timeout = \"1ms\"\nmax_romms = 3\n[abuse]\nmax_member_messages = -1\n");
  ASSERT_TRUE(reload("nothing has changed; mend this and reload again"));
  EXPECT_NE(server().diagnosis().find("chatd.toml:3:1: "), std::string::npos)
      << server().diagnosis();
  EXPECT_TRUE(all_is_heard(room));
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_TRUE(reload(path() + ": "));
  EXPECT_TRUE(all_is_heard(room));
}

// Nobody writes into it: neither this nor the stop at the end waits for somebody to.
TEST_F(Reload, APipeInPlaceOfTheFileChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(start_with("[limits]\nidle_timeout = \"1h\"\n"));
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  ASSERT_TRUE(reload(path() + ": this is a pipe or a socket"));
  EXPECT_TRUE(server().stop()) << server().diagnosis();
}

TEST_F(Reload, WhatNeedsARestartIsNamedEachTime) {
  ASSERT_NO_FATAL_FAILURE(start_with("[limits]\nmax_rooms = 100\n"));
  write("[limits]\nmax_rooms = 1\n[log]\nlevel = \"debug\"\n");
  ASSERT_TRUE(reload("reload: limits.max_rooms = 1 needs a restart; 100 stays in force"));
  EXPECT_TRUE(reload("comes by SIGUSR1 without losing anybody"));
  ASSERT_TRUE(reload("reload: log.level = debug (was info)"));
  TcpPeer peer(server().tcp());
  EXPECT_EQ(peer.request(create_request("one", "alice")).status(), 201);
  EXPECT_EQ(peer.request(create_request("two", "alice")).status(), 201);
}

TEST_F(Reload, FlagsCountMoreThanAChangedFile) {
  ASSERT_NO_FATAL_FAILURE(
      start_with("[limits]\nidle_timeout = \"1h\"\n", {"--idle-timeout", "2h"}));
  write("[limits]\nidle_timeout = \"1ms\"\n");
  ASSERT_TRUE(reload("reload: nothing has changed"));
}

// Nobody misses a word while limits change under a session.
TEST_F(Reload, CostsNoMessage) {
  ASSERT_NO_FATAL_FAILURE(start_with("[abuse]\nrate_limits = \"off\"\n"));
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3U);
  for (int i = 0; i < 50; ++i) {
    const std::string timeout = std::to_string(400 + i) + "s";
    write("[limits]\nidle_timeout = \"" + timeout + "\"\n[abuse]\nrate_limits = \"off\"\n");
    server().process().kill(SIGHUP);
    ASSERT_TRUE(all_is_heard(room)) << i;
    ASSERT_TRUE(server().process().wait_for_text(Stream::kStderr,
                                                 "reload: limits.idle_timeout = " + timeout));
  }
  const Counters counted = totals();
  EXPECT_EQ(counted["deliveries_planned"], counted["deliveries_sent"]);
}

}  // namespace
}  // namespace chatd::test
