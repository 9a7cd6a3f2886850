// What does not work says so, and why; and what changes something is for a socket file alone.
#include <string>
#include <string_view>

#include "tests/e2e/chatctl/ctl_test.h"
#include "tests/support/admin_impostor.h"

namespace chatd::test {
namespace {

TEST_F(CtlTest, NoChatdThere) {
  const CtlOutcome outcome = ctl({"status"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("chatctl: no chatd answers at " + place())) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "is it running with --admin " + place())) << outcome.err;
}

TEST_F(CtlTest, SomethingElseThere) {
  ASSERT_NO_FATAL_FAILURE(start());
  const CtlOutcome outcome =
      run_chatctl({"rooms", "--admin", "127.0.0.1:" + std::to_string(server().tcp().port())});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has(outcome.err, "does not answer")) << outcome.err;
}

TEST_F(CtlTest, WrongUsage) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"nonsense"},
                                                    {"kick", "den"},
                                                    {"ban"},
                                                    {"unban"},
                                                    {"members"},
                                                    {"rooms", "--limit", "0"},
                                                    {"rooms", "--admin", "nonsense"},
                                                    {"rooms", "--admin", "unix:"},
                                                    {"rooms", "--admin", "unix:admin.sock"}}) {
    const CtlOutcome outcome = run_chatctl(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_NE(outcome.err, "");
  }
  const CtlOutcome help = run_chatctl({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"kick", "close-room", "Exit codes:", "CHATCTL_ADMIN"}) {
    EXPECT_TRUE(has(help.out, word)) << word;
  }
}

TEST_F(CtlTest, TheVersionNeedsNoChatd) {
  const CtlOutcome version = run_chatctl({"--version"});
  EXPECT_EQ(version.exit_code, 0) << version.err;
  EXPECT_EQ(version.out, "chatctl " CHATD_VERSION "\n");
}

TEST_F(CtlTest, NoSuchRoom) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  const CtlOutcome outcome = ctl({"members", "attic"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(outcome.err.starts_with("chatctl: there is no such room; ")) << outcome.err;
}

TEST_F(CtlTest, NothingIsChangedOverTcp) {
  ASSERT_NO_FATAL_FAILURE(start({"--admin", "127.0.0.1:0"}));
  const std::string url = server().admin_place();
  ASSERT_FALSE(url.empty());
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  for (const std::vector<std::string>& command : {std::vector<std::string>{"kick", "den", "bob"},
                                                  {"close-room", "den"},
                                                  {"drain"},
                                                  {"reload"},
                                                  {"log-level", "off"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--admin", url});
    const CtlOutcome outcome = run_chatctl(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << command[0];
    EXPECT_TRUE(has(outcome.err, "nothing can be changed over TCP")) << outcome.err;
    EXPECT_EQ(http_ask("POST", url, "/" + command[0] + "?room=den&username=bob&level=off").status,
              403);
  }
  for (const char* command : {"ban", "unban"}) {
    const CtlOutcome outcome = run_chatctl({command, "bob", "--admin", url});
    EXPECT_EQ(outcome.exit_code, 1) << command;
    EXPECT_TRUE(has(outcome.err, "nothing can be changed over TCP")) << outcome.err;
  }
  EXPECT_TRUE(has(run_chatctl({"bans", "--admin", url}).out, "nobody is banned"));
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_EQ(http_get(url, "/readyz").status, 200);
}

TEST_F(CtlTest, ActionsAreNotForLooking) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  for (const char* method : {"GET", "HEAD", "PUT"}) {
    const HttpAnswer answer = http_ask(method, place(), "/kick?room=den&username=bob");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.at("allow"), "POST");
  }
  for (const char* path : {"/kick", "/kick?room=den", "/kick?username=bob", "/close-room",
                           "/log-level", "/log-level?level=", "/log-level?level=INFO"}) {
    EXPECT_EQ(http_ask("POST", place(), path).status, 400) << path;
  }
  // Bytes that are no UTF-8 name no room, and are not said again.
  const HttpAnswer answer = http_ask("POST", place(), "/close-room?room=%ff%00");
  EXPECT_EQ(answer.status, 404);
  EXPECT_TRUE(JsonObject(answer.body).valid());
  EXPECT_TRUE(all_is_heard(room));
}

// The next page is always the one that has just been read.
TEST_F(CtlTest, PagesThatNeverEndAreNoChatd) {
  const AdminImpostor impostor(path(),
                               [](int) { return std::string(R"({"rooms":[],"next":"1.1"})"); });
  const CtlOutcome outcome = ctl({"rooms"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has(outcome.err, "does not turn its pages as chatd does")) << outcome.err;
  EXPECT_EQ(ctl({"members", "den"}).exit_code, 1);
}

TEST_F(CtlTest, PagesWithMoreThanWasAskedForAreNoChatd) {
  const AdminImpostor impostor(
      path(), [](int) { return std::string(R"({"rooms":[{},{},{}],"next":""})"); });
  const CtlOutcome outcome = ctl({"rooms", "--limit", "2"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has(outcome.err, "does not turn its pages as chatd does")) << outcome.err;
}

TEST_F(CtlTest, AnAnswerWithoutEndIsCutOff) {
  const AdminImpostor impostor(path(), [](int) {
    return std::string(R"({"rooms":[)" + std::string(32u << 20, ' ') + R"(],"next":""})");
  });
  const CtlOutcome outcome = ctl({"rooms"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has(outcome.err, "does not answer as chatd does")) << outcome.err;
}

}  // namespace
}  // namespace chatd::test
