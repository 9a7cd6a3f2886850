// The room list: complete for who asks, cut to what one recv holds for who is greeted.
#include <gtest/gtest.h>

#include <string>

#include "core/control/greeting.h"
#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::JsonObject;
using test::RelayKit;

constexpr std::size_t kMaxGreetingPayload = 1'400 - 32;

std::string list_rooms(RelayKit& kit) {
  return kit.ask(test::kListRooms, "", "").payload;
}

std::string list_rooms_for_greeting(RelayKit& kit) {
  std::string frame = kit.greeting();
  return test::take_frame(frame).value().payload;
}

class ListingTest : public testing::Test {
 protected:
  JsonObject list() { return JsonObject(list_rooms(kit_)); }
  JsonObject greeting() {
    const std::string payload = list_rooms_for_greeting(kit_);
    EXPECT_LE(payload.size(), kMaxGreetingPayload);
    JsonObject json(payload);
    EXPECT_TRUE(json.valid()) << payload;
    return json;
  }

  RelayKit kit_;
};

TEST_F(ListingTest, OfNoRooms) {
  EXPECT_EQ(list_rooms(kit_), R"({"rooms":{},"total":0})");
  EXPECT_EQ(list_rooms_for_greeting(kit_), R"({"rooms":{},"total":0})");
}

TEST_F(ListingTest, SaysWhoIsWhere) {
  kit_.create("lobby", "alice");
  kit_.join("lobby", "bob");
  const std::string expected =
      R"({"rooms":{"lobby":{"members":["alice","bob"],"count":2,"password_required":false}},)"
      R"("total":1})";
  EXPECT_EQ(list_rooms(kit_), expected);
  EXPECT_EQ(list_rooms_for_greeting(kit_), expected);
}

TEST_F(ListingTest, HidesTheMembersOfAPasswordRoom) {
  kit_.create("vault", "alice", test::at("127.0.0.1", 1), "pw");
  kit_.join("vault", "bob", test::at("127.0.0.1", 2), "pw");
  for (const JsonObject& json : {list(), greeting()}) {
    const JsonObject vault = json.object("rooms").object("vault");
    EXPECT_TRUE(vault.is_array("members"));
    EXPECT_TRUE(vault.texts("members").empty());
    EXPECT_EQ(vault.number("count"), 2);
    EXPECT_TRUE(vault.flag("password_required"));
  }
}

TEST_F(ListingTest, NamesAtMostTwentyMembers) {
  kit_.create("lobby", "m0");
  for (int i = 1; i < 20; ++i) kit_.join("lobby", "m" + std::to_string(i));
  EXPECT_EQ(list().object("rooms").object("lobby").texts("members").size(), 20u);
  kit_.join("lobby", "m20");
  for (const JsonObject& json : {list(), greeting()}) {
    const JsonObject lobby = json.object("rooms").object("lobby");
    EXPECT_EQ(lobby.texts("members").size(), 20u);
    EXPECT_EQ(lobby.number("count"), 21);
  }
}

TEST_F(ListingTest, EscapesNames) {
  const std::string room = "a \"room\" \\ \u20ac";
  kit_.create(room, "\"alice\"");
  const JsonObject rooms = list().object("rooms");
  EXPECT_EQ(rooms.keys(), std::vector{room});
  EXPECT_EQ(rooms.object(room).texts("members"), std::vector<std::string>{"\"alice\""});
}

TEST_F(ListingTest, TheGreetingHoldsAsManyRoomsAsFit) {
  for (int i = 0; i < 500; ++i) kit_.create("room" + std::to_string(i), "alice");
  EXPECT_EQ(list().object("rooms").keys().size(), 500u);
  EXPECT_EQ(list().number("total"), 500);
  const JsonObject json = greeting();
  EXPECT_EQ(json.number("total"), 500);
  // One of them is about 70 bytes.
  EXPECT_GE(json.object("rooms").keys().size(), 15u);
  EXPECT_GT(list_rooms_for_greeting(kit_).size(), 1'250u);
}

TEST_F(ListingTest, TheGreetingLeavesOutNamesBeforeItLeavesOutARoom) {
  const std::string long_name(250, 'n');
  kit_.create("lobby", "0" + long_name);
  for (int i = 1; i < 10; ++i) kit_.join("lobby", std::to_string(i) + long_name);
  kit_.create("den", "alice");
  const JsonObject rooms = greeting().object("rooms");
  EXPECT_TRUE(rooms.object("lobby").texts("members").empty());
  EXPECT_EQ(rooms.object("lobby").number("count"), 10);
  EXPECT_EQ(rooms.object("den").texts("members"), std::vector<std::string>{"alice"});
}

// The worst that names can do: every byte of them is written as two.
TEST_F(ListingTest, TheGreetingFitsWhateverTheNames) {
  for (int i = 0; i < 40; ++i) {
    std::string name(255, '"');
    name[0] = static_cast<char>('#' + i);  // no two of them a letter in two cases
    kit_.create(name, name);
    for (int j = 0; j < 3; ++j) kit_.join(name, std::string(254 - static_cast<unsigned>(j), '\\'));
    const JsonObject json = greeting();
    EXPECT_EQ(json.number("total"), i + 1);
    EXPECT_FALSE(json.object("rooms").keys().empty());
  }
}

// Every size of room name: wherever the budget ends, the greeting ends before it, and never far.
TEST_F(ListingTest, TheGreetingFitsAtEverySize) {
  RelayConfig small;  // 255 relays of ordinary size take a sanitizer half a minute
  small.limits.max_rooms = small.limits.max_members = 64;
  for (std::size_t size = 1; size <= 255; ++size) {
    RelayKit kit(small);
    for (int i = 0; i < 40; ++i) {
      std::string name(size + 3, 'r');
      name.replace(0, 2, std::to_string(10 + i));
      if (name.size() > 255) break;
      kit.create(name, "m");
    }
    const std::string payload = list_rooms_for_greeting(kit);
    ASSERT_LE(payload.size(), kMaxGreetingPayload) << size;
    ASSERT_TRUE(JsonObject(payload).valid());
  }
}

// Rooms that do not fit must not make a greeting walk through all the others.
TEST_F(ListingTest, TheGreetingPassesOverALongRoomForAShortOne) {
  std::string filler(250, 'f');
  for (int i = 0; i < 4; ++i) kit_.create(std::to_string(i) + filler, "m");
  kit_.create(std::string(255, 'x'), "m");  // too long for what is left
  kit_.create("short", "m");
  const JsonObject rooms = greeting().object("rooms");
  EXPECT_TRUE(rooms.object("short").valid());
  EXPECT_FALSE(rooms.object(std::string(255, 'x')).valid());
}

}  // namespace
}  // namespace chatd
