// chatctl shows what chatd is doing: tables for people, JSON for programs, and nothing that a
// stranger wrote reaches the terminal raw.
#include <set>

#include "tests/e2e/chatctl/ctl_test.h"

namespace chatd::test {
namespace {

TEST_F(CtlTest, StatusCountsWhatHappened) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "den", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3u);
  ASSERT_TRUE(all_is_heard(room));
  const std::string text = shown({"status"});
  EXPECT_TRUE(has(text, "serving\n")) << text;
  EXPECT_TRUE(has(text, "rooms             1\n")) << text;
  EXPECT_TRUE(has(text, "members           3\n")) << text;
  // Two messages, heard by two others each.
  EXPECT_TRUE(has(text, "messages accepted     2\n")) << text;
  EXPECT_TRUE(has(text, "\nSHARD  ROOMS  MEMBERS")) << text;

  const JsonObject json(shown({"status", "--json"}));
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.object("total").object("counters").number("messages_accepted"), 2);
}

TEST_F(CtlTest, RoomsAsATable) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  EXPECT_EQ(shown({"rooms"}), "there are no rooms\n");
  const auto den = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(den.size(), 2u);
  EXPECT_EQ(shown({"rooms"}),
            "ROOM  MEMBERS  NOT HEARD  WAITING  PASSWORD  HOST\n"
            "den         2          0        0            alice\n");
}

TEST_F(CtlTest, MembersAsATable) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  auto room = make_room(server(), "a b/c?&=", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  const std::string text = shown({"members", "a b/c?&="});
  EXPECT_TRUE(text.starts_with("USERNAME  ADDRESS")) << text;
  EXPECT_TRUE(has(text, "alice     " + room[0].socket().address().to_string() + "  127.0.0.1"))
      << text;
  const JsonObject json(shown({"--json", "members", "a b/c?&="}));
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.text("room"), "a b/c?&=");
  EXPECT_EQ(json.number("total"), 2);
}

// More than one page of the endpoint's largest (1000).
TEST_F(CtlTest, PagesAreFollowedToTheEndOrTheLimit) {
  constexpr int kRooms = 1100;
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  TcpPeer peer(server().tcp());
  for (int i = 0; i < kRooms; ++i) {
    ASSERT_EQ(peer.request(create_request("room" + std::to_string(i), "alice")).status(), 201);
  }
  const auto names_in = [](const std::string& json) {
    rapidjson::Document page;
    page.Parse(json.c_str());
    std::multiset<std::string> names;
    if (page.HasParseError()) return names;
    for (const Json& room : page["rooms"].GetArray()) names.insert(room["name"].GetString());
    return names;
  };
  const std::string all = shown({"rooms", "--json"});
  const auto names = names_in(all);
  EXPECT_EQ(names.size(), std::size_t{kRooms});
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), std::size_t{kRooms});
  EXPECT_EQ(JsonObject(all).text("next"), "");
  const std::string some = shown({"rooms", "--json", "--limit", "1001"});
  EXPECT_EQ(names_in(some).size(), 1001u);
  EXPECT_NE(JsonObject(some).text("next"), "");
  EXPECT_TRUE(has(shown({"rooms", "--limit", "3"}), "there are more rooms than --limit\n"));
}

TEST_F(CtlTest, NamesDoNotReachTheTerminalRaw) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket());
  const std::string name = "den\xe2\x80\xae";
  const auto member = Member::create(server(), name,
                                     "a\xe2\x80\xae"
                                     "lice");
  ASSERT_TRUE(member);
  const std::string rooms = shown({"rooms"});
  EXPECT_TRUE(has(rooms, "den<U+202E>")) << rooms;
  EXPECT_FALSE(has(rooms, "\xe2\x80\xae")) << rooms;
  EXPECT_TRUE(has(shown({"members", name}), "a<U+202E>lice"));
  const std::string json = shown({"rooms", "--json"});
  EXPECT_FALSE(has(json, "\xe2\x80\xae")) << json;
  rapidjson::Document page;
  page.Parse(json.c_str());
  ASSERT_FALSE(page.HasParseError());
  EXPECT_EQ(std::string(page["rooms"][0]["name"].GetString()), name);
  const std::string kicked = shown({"kick", name,
                                    "a\xe2\x80\xae"
                                    "lice"});
  EXPECT_TRUE(has(kicked, "a<U+202E>lice has been put out of den<U+202E>")) << kicked;
}

TEST_F(CtlTest, TheConfigurationAndWhereItComesFrom) {
  ASSERT_NO_FATAL_FAILURE(start_with_socket({"--max-rooms", "77"}));
  const std::string text = shown({"config"});
  const std::size_t row = text.find("\nlimits.max_rooms ");
  ASSERT_NE(row, std::string::npos) << text;
  const std::string line = text.substr(row + 1, text.find('\n', row + 1) - row - 1);
  EXPECT_TRUE(has(line, " 77 ") && has(line, " restart ") && has(line, "flag --max-rooms")) << line;
  EXPECT_TRUE(JsonObject(shown({"config", "--json"})).is_array("options"));
}

// Looking needs no socket file.
TEST_F(CtlTest, LooksOverTcp) {
  ASSERT_NO_FATAL_FAILURE(start({"--admin", "127.0.0.1:0"}));
  const std::string url = server().admin_place();
  ASSERT_FALSE(url.empty());
  for (const std::string& address : {url, url.substr(7, url.size() - 8)}) {
    const CtlOutcome outcome =
        run_chatctl({"rooms"}, {.environment = {{"CHATCTL_ADMIN", address}}});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "there are no rooms\n");
  }
}

TEST_F(CtlTest, HelpThatCannotBeWrittenIsNoSuccess) {
  for (const char* command : {"", "rooms"}) {
    Process shell({"/bin/sh", "-c", "exec \"$0\" $1 --help >/dev/full", CHATCTL_PROGRAM, command});
    const auto status = shell.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 1);
    EXPECT_EQ(shell.captured(Stream::kStderr),
              "chatctl: stdout cannot be written: No space left on device\n");
  }
}

}  // namespace
}  // namespace chatd::test
