#include "client/lib/response.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/limits.h"

namespace chatd::client {
namespace {

TEST(EntryAnswer, GivesTheTokenAndTheTimeout) {
  const auto entry = parse_entry_answer(
      R"({"status":201,"message":"ok","token":"000102030405060708090a0b0c0d0e0f",)"
      R"("idle_timeout":300})");
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->token.hex(), "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(entry->idle_timeout_ms, 300'000);
}

TEST(EntryAnswer, ATimeoutThatIsNoneIsNotTold) {
  const auto timeout_in = [](const std::string& rest) {
    return parse_entry_answer(R"({"status":201,"token":"000102030405060708090a0b0c0d0e0f")" + rest +
                              "}")
        .value()
        .idle_timeout_ms;
  };
  EXPECT_EQ(timeout_in(R"(,"idle_timeout":0.25)"), 250);
  EXPECT_EQ(timeout_in(R"(,"idle_timeout":1.001)"), 1'001);
  for (const char* const none :
       {"", R"(,"idle_timeout":0)", R"(,"idle_timeout":-300)", R"(,"idle_timeout":"300")",
        R"(,"idle_timeout":1e300)", R"(,"idle_timeout":null)", R"(,"idle_timeout":0.0001)"}) {
    EXPECT_EQ(timeout_in(none), std::nullopt) << none;
  }
}

TEST(EntryAnswer, TellsStatusAndReasonOfARefusal) {
  for (const int status : {400, 401, 404, 409, 413, 429, 503}) {
    const auto token = parse_entry_answer(R"({"message":"no \"such\" room","status":)" +
                                          std::to_string(status) + "}");
    ASSERT_FALSE(token.has_value());
    EXPECT_EQ(token.error().kind, ErrorKind::kRefused);
    EXPECT_EQ(token.error().status, status);
    EXPECT_EQ(token.error().reason, R"(no "such" room)");
  }
}

TEST(EntryAnswer, NeverTakesNonsenseForAToken) {
  for (const char* const payload : {
           "",
           "{",
           "[]",
           "201",
           "{}",
           R"({"status":"201","token":"00"})",
           R"({"status":201})",
           R"({"status":201,"token":""})",
           R"({"status":201,"token":7})",
           R"({"status":201,"token":"0123456789abcdef"})",
           R"({"status":201,"token":"zz0102030405060708090a0b0c0d0e0f"})",
           R"({"status":-1,"message":"x"})",
           "{\"status\":201,\"token\":\"\xff\"}",
       }) {
    const auto token = parse_entry_answer(payload);
    ASSERT_FALSE(token.has_value()) << payload;
    EXPECT_EQ(token.error().kind, ErrorKind::kUnreachable) << payload;
  }
}

TEST(RoomList, ReadsRooms) {
  const auto list = parse_room_list(
      R"({"rooms":{"kitchen":{"members":["alice","b\u00f6b"],"count":30,)"
      R"("password_required":false},"den":{"members":[],"count":2,"password_required":true}},)"
      R"("total":5,"later":1})");
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->rooms.size(), 2U);
  EXPECT_EQ(list->total, 5U);
  EXPECT_EQ(list->rooms[0].name, "kitchen");
  EXPECT_EQ(list->rooms[0].members, (std::vector<std::string>{"alice", "böb"}));
  EXPECT_EQ(list->rooms[0].count, 30U);
  EXPECT_FALSE(list->rooms[0].password_required);
  EXPECT_EQ(list->rooms[1].name, "den");
  EXPECT_TRUE(list->rooms[1].password_required);
}

TEST(RoomList, KeepsNoMoreNamesThanAServerMayList) {
  std::string names;
  for (int i = 0; i < 1'000; ++i) names += R"("a",)";
  const auto list = parse_room_list(R"({"rooms":{"kitchen":{"members":[)" + names + R"("b"]}}})");
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->rooms.size(), 1U);
  EXPECT_EQ(list->rooms[0].members, std::vector<std::string>(kMaxListedMembers, "a"));
  EXPECT_EQ(list->rooms[0].count, 1'001U);
}

TEST(RoomList, TellsARefusal) {
  const auto list = parse_room_list(R"({"status":503,"message":"full"})");
  ASSERT_FALSE(list.has_value());
  EXPECT_EQ(list.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(list.error().status, 503);
}

TEST(RoomList, RejectsNonsense) {
  for (const char* const payload :
       {"", "[]", "{}", R"({"rooms":[]})", R"({"rooms":{"a":1}})", R"({"rooms":{"a":{}}})",
        R"({"rooms":{"a":{"members":[1]}}})"}) {
    EXPECT_FALSE(parse_room_list(payload).has_value()) << payload;
  }
}

TEST(RoomList, ReadsWhateverStandsAround) {
  const auto list = parse_room_list(
      R"( {"x":{"rooms":{"no":1},"members":[[{}]]},"total":7,"rooms":{"a\"\u20ac":{"z":[1,{"count":9}],)"
      R"("count":3,"members":["m\\"],"more":{"password_required":true,"members":[]}}},)"
      R"("total":8,"y":null,"rooms":{"b":{}}} )");
  ASSERT_TRUE(list.has_value()) << list.error().reason;
  ASSERT_EQ(list->rooms.size(), 1U);
  EXPECT_EQ(list->rooms[0].name, "a\"\u20ac");
  EXPECT_EQ(list->rooms[0].members, std::vector<std::string>{"m\\"});
  EXPECT_EQ(list->rooms[0].count, 3U);
  EXPECT_FALSE(list->rooms[0].password_required);
  EXPECT_EQ(list->total, 7U) << "the first of several counts";
}

TEST(RoomList, RejectsWhatIsNoJson) {
  for (const std::string_view payload :
       {R"({"rooms":{}} x)", R"({"rooms":{})", R"({"rooms":{"a":{"members":["b"}}})",
        "{\"rooms\":{\"\xff\":{\"members\":[]}}}", R"({"rooms":{"a":{"members":["\ud800"]}}})"}) {
    EXPECT_FALSE(parse_room_list(payload).has_value()) << payload;
  }
}

TEST(RoomList, RejectsDeepNesting) {
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse_room_list(deep).has_value());
}

}  // namespace
}  // namespace chatd::client
