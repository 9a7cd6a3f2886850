// The room list: cut to fit in the greeting, whole when it is asked for.
#include <algorithm>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

constexpr std::size_t kLargestGreeting = 1400;

class GreetingAndList : public ServerTest {
 protected:
  Frame greeting() {
    const auto frame = TcpPeer(server().tcp()).read_greeting();
    EXPECT_TRUE(frame);
    return frame.value_or(Frame{});
  }

  std::string list() {
    const Answer answer = TcpPeer(server().tcp()).request(list_request());
    EXPECT_FALSE(answer.accepted);
    EXPECT_TRUE(answer.completed);
    if (!answer.completed) return "";
    EXPECT_EQ(answer.completed->operation, kListRooms);
    EXPECT_EQ(answer.completed->room, "");
    return answer.completed->payload;
  }

  TcpPeer& control() {
    if (!control_) control_.emplace(server().tcp());
    return *control_;
  }
  void create(std::string_view room, std::string_view username, std::string_view password = "") {
    ASSERT_EQ(control().create(room, fields_of(username, password)).status(), 201);
  }
  void join(std::string_view room, std::string_view username, std::string_view password = "") {
    ASSERT_EQ(control().join(room, fields_of(username, password)).status(), 201);
  }

 private:
  std::optional<TcpPeer> control_;
};

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(GreetingAndList, ComesUnaskedAndSkippableAndIsEmptyAtFirst) {
  ASSERT_NO_FATAL_FAILURE(start());
  const Frame frame = greeting();
  EXPECT_EQ(frame.operation, kListRooms);
  EXPECT_EQ(frame.state, kRequest);
  EXPECT_EQ(frame.room, "");
  const JsonObject payload(frame.payload);
  ASSERT_TRUE(payload.valid());
  EXPECT_EQ(payload.number("total"), 0);
  ASSERT_TRUE(payload.object("rooms").valid());
  EXPECT_TRUE(payload.object("rooms").keys().empty());
}

TEST_F(GreetingAndList, NamesRoomsAndTheirMembers) {
  ASSERT_NO_FATAL_FAILURE(start());
  create("one", "alice");
  join("one", "bob");
  create("two", "carol");
  const std::string greeted = greeting().payload;
  for (const std::string& text : {greeted, list()}) {
    const JsonObject payload(text);
    EXPECT_EQ(payload.number("total"), 2);
    const JsonObject rooms = payload.object("rooms");
    EXPECT_EQ(sorted(rooms.keys()), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(sorted(rooms.object("one").texts("members")),
              (std::vector<std::string>{"alice", "bob"}));
    EXPECT_EQ(rooms.object("one").number("count"), 2);
    EXPECT_TRUE(rooms.object("one").has("password_required"));
    EXPECT_FALSE(rooms.object("one").flag("password_required"));
    EXPECT_EQ(rooms.object("two").texts("members"), std::vector<std::string>{"carol"});
  }
}

TEST_F(GreetingAndList, HidesTheNamesBehindAPassword) {
  ASSERT_NO_FATAL_FAILURE(start());
  create("vault", "alice", "secret");
  join("vault", "bob", "secret");
  const std::string greeted = greeting().payload;
  EXPECT_EQ(greeted.find("alice"), std::string::npos);
  for (const std::string& text : {greeted, list()}) {
    const JsonObject payload(text);
    const JsonObject vault = payload.object("rooms").object("vault");
    EXPECT_TRUE(vault.is_array("members"));
    EXPECT_TRUE(vault.texts("members").empty());
    EXPECT_EQ(vault.number("count"), 2);
    EXPECT_TRUE(vault.flag("password_required"));
  }
}

TEST_F(GreetingAndList, NamesAtMostTwentyMembers) {
  ASSERT_NO_FATAL_FAILURE(start());
  create("crowd", "host");
  for (int i = 1; i < 25; ++i) join("crowd", "m" + std::to_string(i));
  const std::string greeted = greeting().payload;
  for (const std::string& text : {greeted, list()}) {
    const JsonObject payload(text);
    const JsonObject crowd = payload.object("rooms").object("crowd");
    EXPECT_EQ(crowd.texts("members").size(), 20U);
    EXPECT_EQ(crowd.number("count"), 25);
  }
}

TEST_F(GreetingAndList, StaysWithinOneReadHoweverManyRoomsThereAre) {
  ASSERT_NO_FATAL_FAILURE(start());
  constexpr int kRooms = 300;
  std::vector<std::string> names;
  for (int i = 0; i < kRooms; ++i) {
    names.push_back("room number " + std::to_string(i));
    ASSERT_NO_FATAL_FAILURE(create(names.back(), "host"));
    const Frame frame = greeting();
    ASSERT_LE(encode(frame).size(), kLargestGreeting);
    const JsonObject payload(frame.payload);
    ASSERT_TRUE(payload.valid()) << frame.payload;
    ASSERT_EQ(payload.number("total"), i + 1);
  }
  // As many as fit: another room of this size would not have.
  const Frame frame = greeting();
  const JsonObject rooms = JsonObject(frame.payload).object("rooms");
  EXPECT_GE(rooms.keys().size(), 10U);
  EXPECT_GT(encode(frame).size(), kLargestGreeting - 120);

  const JsonObject whole(list());
  EXPECT_EQ(whole.number("total"), kRooms);
  EXPECT_EQ(sorted(whole.object("rooms").keys()), sorted(names));
}

TEST_F(GreetingAndList, ARoomThatDoesNotFitDoesNotHideTheOthers) {
  ASSERT_NO_FATAL_FAILURE(start());
  create("long names", std::string(255, 'h'));
  for (int i = 0; i < 19; ++i) {
    join("long names", std::string(250, 'm') + std::to_string(100 + i));
  }
  create("small", "alice");
  const Frame frame = greeting();
  EXPECT_LE(encode(frame).size(), kLargestGreeting);
  const JsonObject payload(frame.payload);
  ASSERT_TRUE(payload.valid());
  EXPECT_EQ(payload.number("total"), 2);
  EXPECT_TRUE(payload.object("rooms").has("small"));
  EXPECT_TRUE(JsonObject(list()).object("rooms").has("long names"));
}

TEST_F(GreetingAndList, EscapesNames) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string room = "a \"quoted\" \\ room / \xf0\x9f\x8c\x8d";
  const std::string name = "Zo\xc3\xab \"the\" \\slash\\";
  create(room, name);
  const std::string greeted = greeting().payload;
  for (const std::string& text : {greeted, list()}) {
    const JsonObject payload(text);
    EXPECT_EQ(payload.object("rooms").keys(), std::vector<std::string>{room});
    EXPECT_EQ(payload.object("rooms").object(room).texts("members"),
              std::vector<std::string>{name});
  }
}

TEST_F(GreetingAndList, AListIsAnsweredWhateverItsPayload) {
  ASSERT_NO_FATAL_FAILURE(start());
  create("one", "alice");
  TcpPeer peer(server().tcp());
  for (const char* payload : {"", "{}", "not json", "[1,2", "\xff\xfe"}) {
    SCOPED_TRACE(payload);
    const Answer answer = peer.request(
        {.operation = kListRooms, .state = kRequest, .room = "any", .payload = payload});
    ASSERT_TRUE(answer.completed);
    EXPECT_EQ(JsonObject(answer.completed->payload).number("total"), 1);
  }
}

TEST_F(GreetingAndList, AnEndedRoomIsNoLongerListed) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "short", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  room[0].leave();
  EXPECT_TRUE(room[1].hears_left("alice"));
  EXPECT_TRUE(room[1].hears_own_removal());
  EXPECT_EQ(JsonObject(list()).number("total"), 0);
  EXPECT_EQ(JsonObject(greeting().payload).number("total"), 0);
}

}  // namespace
}  // namespace chatd::test
