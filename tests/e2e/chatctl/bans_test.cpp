// chatctl bans somebody: whoever it hits is out and stays out, until the ban is taken back.
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/chatctl/ctl_test.h"

namespace chatd::test {
namespace {

constexpr const char* kForgotten =
    "bans are forgotten when chatd ends: chatd has no state directory ($STATE_DIRECTORY)\n";
constexpr const char* kToldSpam = "you are banned from this server: spam";

class CtlBans : public CtlTest {
 protected:
  void start_in_state_directory(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--admin", place()});
    ASSERT_NO_FATAL_FAILURE(
        start(std::move(flags), {.environment = {{"STATE_DIRECTORY", directory()}}}));
  }
  Answer ask_to_join(std::string_view name) {
    return TcpPeer(server().tcp()).request(join_request("den", name));
  }
  int joins_with(std::string_view name) { return static_cast<int>(ask_to_join(name).status()); }
};

TEST_F(CtlBans, ANameIsOutWithTheReasonUntilItIsTakenBack) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "den", {"alice", "mallory"});
  ASSERT_EQ(room.size(), 2u);
  EXPECT_TRUE(shown({"ban", "Mallory", "--reason", "spam"})
                  .starts_with("the name Mallory is banned for good; bans are forgotten"));
  EXPECT_TRUE(room[1].hears_own_removal(kToldSpam));
  EXPECT_TRUE(room[0].hears_left("mallory"));
  EXPECT_TRUE(server().process().wait_for_text(
      Stream::kStderr, "has banned the name \"Mallory\" for good: \"spam\""))
      << server().diagnosis();
  EXPECT_TRUE(has(server().diagnosis(), "admin: user "));

  const Answer refused = ask_to_join("mallory");
  EXPECT_EQ(refused.status(), 403);
  EXPECT_EQ(JsonObject(refused.completed ? refused.completed->payload : "").text("message"),
            kToldSpam);
  EXPECT_EQ(shown({"bans"}), std::string("BANNED   KIND  ENDS IN  BY        REASON\n"
                                         "Mallory  name    never  operator  spam\n") +
                                 kForgotten);
  const HttpAnswer metrics = http_get(place(), "/metrics");
  EXPECT_TRUE(has(metrics.body, "\nchatd_bans 1\n"));

  EXPECT_TRUE(shown({"unban", "MALLORY"}).starts_with("the name MALLORY is not banned any more"));
  EXPECT_EQ(joins_with("mallory"), 201);
  EXPECT_EQ(shown({"bans"}), std::string("nobody is banned\n") + kForgotten);
  const CtlOutcome again = ctl({"unban", "mallory"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_TRUE(again.err.starts_with("chatctl: the name mallory is not banned; ")) << again.err;
}

// All rooms are on some shard, and so are all connections.
TEST_F(CtlBans, AnAddressIsOutOfAllRooms) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  std::vector<Member> members;
  for (int i = 0; i < 8; ++i) {
    auto host = Member::create(server(), "room" + std::to_string(i), "host");
    ASSERT_TRUE(host);
    members.push_back(std::move(*host));
  }
  EXPECT_TRUE(shown({"ban", "127.0.0.0/8", "--reason", "spam", "--for", "12h"})
                  .starts_with("127.0.0.0/8 is banned for 43200 s"));
  for (Member& member : members) EXPECT_TRUE(member.hears_own_removal(kToldSpam));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(TcpPeer(server().tcp())
                  .request(create_request("room" + std::to_string(i), "host"))
                  .status(),
              403);
  }
  EXPECT_TRUE(has(shown({"bans"}), "127.0.0.0/8  address  11 h 59 min  operator  spam\n"));
  shown({"unban", "127.0.0.1/8"});
  EXPECT_EQ(TcpPeer(server().tcp()).request(create_request("room", "host")).status(), 201);
}

TEST_F(CtlBans, OutliveARestartInTheStateDirectory) {
  ASSERT_NO_FATAL_FAILURE(start_in_state_directory());
  EXPECT_EQ(shown({"ban", "mallory", "--reason", "spam"}), "the name mallory is banned for good\n");
  EXPECT_EQ(shown({"ban", "203.0.113.7/24", "--for", "30min"}),
            "203.0.113.0/24 is banned for 1800 s\n");
  struct stat file {};
  ASSERT_EQ(::stat((directory() + "/bans.json").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  server().process().kill(SIGKILL);
  ASSERT_TRUE(server().process().wait_exit());

  ASSERT_NO_FATAL_FAILURE(start_in_state_directory());
  const auto host = Member::create(server(), "den", "alice");
  ASSERT_TRUE(host);
  EXPECT_EQ(joins_with("mallory"), 403);
  EXPECT_TRUE(has(shown({"bans"}), "203.0.113.0/24  address  29 min "));
  EXPECT_EQ(shown({"unban", "mallory"}), "the name mallory is not banned any more\n");
  EXPECT_EQ(joins_with("mallory"), 201);
}

TEST_F(CtlBans, AFileThatIsDamagedIsNotPassedOver) {
  std::ofstream(directory() + "/bans.json") << R"({"bans":[{"name":"mallory"}]})";
  Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "off"},
                {.environment = {{"STATE_DIRECTORY", directory()}}});
  const auto exit = chatd.wait_exit();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 1);
  EXPECT_TRUE(has(chatd.captured(Stream::kStderr), "/bans.json: ban number 1 has no address or"))
      << chatd.captured(Stream::kStderr);
}

TEST_F(CtlBans, GoAlongInAHandOver) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  shown({"ban", "mallory", "--reason", "spam"});
  ASSERT_TRUE(server().hand_over(SIGUSR1)) << server().diagnosis();
  EXPECT_EQ(joins_with("mallory"), 403);
  EXPECT_TRUE(has(shown({"bans"}), "operator  spam\n"));
  EXPECT_TRUE(all_is_heard(room));
  shown({"ban", "bob"});
  EXPECT_TRUE(room[1].hears_own_removal("you are banned from this server"));
  shown({"unban", "mallory"});
  EXPECT_EQ(joins_with("mallory"), 201);
}

TEST_F(CtlBans, OfTheConfigurationComeAndGoWithAReload) {
  const TemporaryFile file("[bans]\nnames = [\"mallory\"]\naddresses = [\"203.0.113.0/24\"]\n");
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--config", file.path()}));
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  EXPECT_EQ(joins_with("mallory"), 403);
  EXPECT_TRUE(has(shown({"bans"}), "mallory         name       never  configuration"));
  for (const char* command : {"ban", "unban"}) {
    const CtlOutcome refused = ctl({command, "Mallory"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(refused.err.starts_with("chatctl: the configuration bans it; ")) << refused.err;
  }
  std::ofstream(file.path()) << "[bans]\nnames = [\"eve\", \"Bob\"]\n";
  EXPECT_EQ(shown({"reload"}),
            "the configuration has been loaded again\n"
            "  bans.addresses = none (was 203.0.113.0/24)\n"
            "  bans.names = eve, Bob (was mallory)\n");
  EXPECT_TRUE(room[1].hears_own_removal("you are banned from this server"));
  EXPECT_EQ(joins_with("mallory"), 201);
  EXPECT_EQ(joins_with("eve"), 403);
}

TEST_F(CtlBans, WhatCannotBeIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  const std::vector<std::pair<std::vector<std::string>, std::string>> refused{
      {{"ban", "0.0.0.0/0"}, "the prefix is too short"},
      {{"ban", "::/8"}, "the prefix is too short"},
      {{"ban", "203.0.113.256"}, "this is no address"},
      {{"ban", "203.0.113.0/33"}, "the prefix is not a number up to 32"},
      {{"ban", "a\tb"}, "nobody can have this name"},
      {{"ban", "mallory", "--for", "soon"}, "for is not a duration"},
      {{"ban", "mallory", "--for", "0s"}, "for is not a duration"},
      {{"ban", "mallory", "--reason", std::string(201, 'x')}, "this reason cannot be told"},
      {{"ban", "mallory", "--reason", "a\nb"}, "this reason cannot be told"}};
  for (const auto& [arguments, why] : refused) {
    const CtlOutcome outcome = ctl(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << arguments[1];
    EXPECT_TRUE(has(outcome.err, why)) << outcome.err;
  }
  EXPECT_EQ(http_ask("POST", place(), "/bans").status, 400);
  EXPECT_EQ(http_ask("POST", place(), "/bans?name=eve&address=203.0.113.7").status, 400);
  EXPECT_EQ(http_ask("POST", place(), "/bans?name=%ff").status, 400);
  EXPECT_EQ(http_ask("DELETE", place(), "/bans?name=eve").status, 404);
  const HttpAnswer put = http_ask("PUT", place(), "/bans?name=eve");
  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(put.headers.at("allow"), "GET, HEAD, POST, DELETE");
  EXPECT_TRUE(has(shown({"bans", "--json"}), "\"bans\":[]"));
  EXPECT_TRUE(shown({"ban", "1.2.3.4", "--name"}).starts_with("the name 1.2.3.4 is banned"));
}

}  // namespace
}  // namespace chatd::test
