// What an operator finds in the log, in each of its formats, and how much of it.
#include <algorithm>
#include <csignal>
#include <sstream>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Log : public ServerTest {
 protected:
  std::vector<std::string> lines() {
    totals();
    std::istringstream text(server().diagnosis());
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  static long count(const std::vector<std::string>& lines, std::string_view text) {
    return std::count_if(lines.begin(), lines.end(), [text](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  }
};

TEST_F(Log, TellsOfRoomsAndConnections) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), R"(the "lobby")", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
  room[0].leave();
  EXPECT_TRUE(room[1].hears_left("alice"));
  const auto log = lines();
  EXPECT_EQ(count(log, R"( info room "the \"lobby\"" opened from 127.0.0.1)"), 1);
  EXPECT_EQ(count(log, R"( info room "the \"lobby\"" closed, 1 members with it)"), 1);
  EXPECT_GE(count(log, " info connection from 127.0.0.1"), 1);
}

TEST_F(Log, IsJsonWhenAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start({"--log-format", "json"}));
  auto room = make_room(server(), R"(the "lobby")", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  bool has_room = false;
  for (const std::string& line : lines()) {
    const JsonObject object(line);
    ASSERT_TRUE(object.valid()) << line;
    EXPECT_EQ(object.text("level"), "info") << line;
    EXPECT_NE(object.text("time"), "") << line;
    if (object.text("message") == R"(room "the \"lobby\"" opened from 127.0.0.1)") has_room = true;
  }
  EXPECT_TRUE(has_room);
}

TEST_F(Log, SaysNothingOfThemWhenItIsTold) {
  ChatdServer quiet({"--log-level", "warn"});  // it tells no totals either
  ASSERT_TRUE(quiet.ready()) << quiet.diagnosis();
  auto room = make_room(quiet, "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  quiet.process().kill(SIGTERM);
  const auto status = quiet.process().wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  EXPECT_EQ(quiet.diagnosis(), "");
}

// Whatever clients do, so many lines and no more, and a word about the rest.
TEST_F(Log, IsNotFilledByClients) {
  constexpr int kRooms = 500;
  ASSERT_NO_FATAL_FAILURE(start({"--rate-limits", "off"}));
  TcpPeer peer(server().tcp());
  for (int i = 0; i < kRooms; ++i) {
    ASSERT_EQ(peer.request(create_request("room" + std::to_string(i), "alice")).status(), 201);
  }
  const auto log = lines();
  // Some twenty at once, and one a second: the shards have that each.
  EXPECT_GE(count(log, "opened from"), 20);
  EXPECT_LT(count(log, "opened from"), 120);
  EXPECT_LT(log.size(), 300U);
  EXPECT_GE(count(log, "lines about rooms and connections were left out"), 1);
}

// Who reads the log learns which rooms there are and from which addresses they were opened and
// asked for, even at its most talkative; never who is in them, what is said, or how to get in.
TEST_F(Log, HoldsNoMessageNoUsernameNoPasswordAndNoToken) {
  ASSERT_NO_FATAL_FAILURE(start({"--log-level", "trace"}));
  auto alice =
      Member::create(server(), "vault", "alice-the-host", {.password = "the right password"});
  auto bob = Member::join(server(), "vault", "bob-the-guest", {.password = "the right password"});
  ASSERT_TRUE(alice && bob);
  EXPECT_TRUE(alice->hears_joined("bob-the-guest"));
  EXPECT_TRUE(bob->hears(alice->say("a confidential word")));
  TcpPeer stranger(server().tcp());
  EXPECT_EQ(stranger.join("vault", fields_of("mallory", "a wrong guess")).status(), 401);
  // A datagram that is refused is no reason to write down what is in it either.
  alice->send_payload(R"({"sender":"bob-the-guest","message":"a forged word"})");
  bob->leave();
  EXPECT_TRUE(alice->hears_left("bob-the-guest"));
  const auto log = lines();
  EXPECT_EQ(count(log, R"(room "vault" opened from 127.0.0.1)"), 1);
  for (const std::string_view secret :
       {std::string_view("alice-the-host"), std::string_view("bob-the-guest"),
        std::string_view("mallory"), std::string_view("right password"),
        std::string_view("wrong guess"), std::string_view("confidential"),
        std::string_view("forged"), std::string_view(alice->token()),
        std::string_view(bob->token())}) {
    EXPECT_EQ(count(log, secret), 0) << secret;
  }
}

}  // namespace
}  // namespace chatd::test
