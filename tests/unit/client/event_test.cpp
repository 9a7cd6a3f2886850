#include "client/lib/member_session.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace chatd::client {
namespace {

using Kind = Event::Kind;

Event parse(std::string_view payload) {
  return parse_event(std::string("\0\0", 2).append(payload), "alice");
}

TEST(Event, Message) {
  const Event event = parse(R"({"sender":"bob","message":"hi \"you\" \ud83c\udf89","x":[1]})");
  EXPECT_EQ(event.kind, Kind::kMessage);
  EXPECT_EQ(event.name, "bob");
  EXPECT_EQ(event.text, "hi \"you\" 🎉");
}

TEST(Event, JoinedAndLeft) {
  const Event joined =
      parse(R"({"sender":"system","operation":1,"username":"bob","message":"bob joined"})");
  EXPECT_EQ(joined.kind, Kind::kJoined);
  EXPECT_EQ(joined.name, "bob");
  const Event left = parse(R"({"sender":"system","operation":2,"username":"bob","message":"x"})");
  EXPECT_EQ(left.kind, Kind::kLeft);
  EXPECT_EQ(left.name, "bob");
}

TEST(Event, DisconnectedIsForTheOwnNameAlone) {
  const Event event = parse(
      R"({"sender":"system","operation":2,"username":"alice","message":"You have been disconnected"})");
  EXPECT_EQ(event.kind, Kind::kDisconnected);
  EXPECT_EQ(event.text, "You have been disconnected");
  EXPECT_EQ(parse(R"({"sender":"bob","operation":2,"username":"alice","message":"x"})").kind,
            Kind::kMessage);
}

TEST(Event, NotAuthenticated) {
  EXPECT_EQ(parse(R"({"sender":"Server","message":"You are not authenticated"})").kind,
            Kind::kNotAuthenticated);
  EXPECT_EQ(parse(R"({"sender":"Server","message":"Good evening"})").kind, Kind::kNotice);
  EXPECT_EQ(parse(R"({"sender":"bob","message":"You are not authenticated"})").kind,
            Kind::kMessage);
}

TEST(Event, AnAnswerToAHeartbeatHasNoSender) {
  const Event event = parse(R"({"heartbeat":"7c1b"})");
  EXPECT_EQ(event.kind, Kind::kHeartbeat);
  EXPECT_EQ(event.text, "7c1b");
  EXPECT_EQ(parse(R"({"sender":"bob","message":"x","heartbeat":"7c1b"})").kind, Kind::kMessage);
  EXPECT_EQ(parse(R"({"heartbeat":7})").kind, Kind::kMalformed);
}

TEST(Event, SystemWithoutAKnownOperationIsANotice) {
  const Event event = parse(R"({"sender":"system","message":"tea time"})");
  EXPECT_EQ(event.kind, Kind::kNotice);
  EXPECT_EQ(event.text, "tea time");
  EXPECT_EQ(parse(R"({"sender":"system","operation":9,"username":"x"})").kind, Kind::kNotice);
}

TEST(Event, EverythingElseIsMalformedWithAReason) {
  for (const char* const payload :
       {"", "{", "[]", "{}", R"({"sender":"bob"})", R"({"sender":7,"message":"x"})",
        R"({"sender":"bob","message":7})", R"({"message":"x"})", "{\"sender\":\"\xff\"}",
        R"({"sender":"bob","message":"\ud800"})"}) {
    const Event event = parse(payload);
    EXPECT_EQ(event.kind, Kind::kMalformed) << payload;
    EXPECT_FALSE(event.text.empty());
  }
  EXPECT_EQ(parse_event("", "alice").kind, Kind::kMalformed);
  EXPECT_EQ(parse_event(R"(  {"sender":"bob","message":"x"})", "alice").kind, Kind::kMalformed);
  EXPECT_EQ(parse(std::string(60'000, '[')).kind, Kind::kMalformed);
}

TEST(Event, SurvivesEveryMutationOfAMessage) {
  const std::string whole(R"({"sender":"bob","message":"hi \u00e9"})");
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string payload = whole;
    payload[random() % payload.size()] = static_cast<char>(random());
    const Event event = parse(std::string_view(payload).substr(0, 1 + random() % payload.size()));
    EXPECT_TRUE(event.kind == Kind::kMessage || event.kind == Kind::kMalformed);
  }
}

}  // namespace
}  // namespace chatd::client
