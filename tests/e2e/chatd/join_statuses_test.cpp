// Create and join: each status, and what decides on it.
#include <map>
#include <set>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class JoinStatuses : public ServerTest {
 protected:
  TcpPeer& control() {
    if (!control_) control_.emplace(server().tcp());
    return *control_;
  }

  // The outcome of a request with this payload; 202 must have come before it.
  int outcome(std::uint8_t operation, std::string_view room, std::string_view payload) {
    const Answer answer = control().request({.operation = operation,
                                             .state = kRequest,
                                             .room = std::string(room),
                                             .payload = std::string(payload)});
    EXPECT_EQ(answer.accepted_status(), 202);
    if (answer.accepted) {
      EXPECT_EQ(answer.accepted->operation, operation);
      EXPECT_EQ(answer.accepted->state, kAccepted);
      EXPECT_EQ(answer.accepted->room, "");
    }
    if (answer.completed) {
      EXPECT_EQ(answer.completed->operation, operation);
      EXPECT_EQ(answer.completed->room, "");
      const JsonObject payload_object(answer.completed->payload);
      EXPECT_NE(payload_object.text("message"), "") << answer.completed->payload;
      EXPECT_EQ(payload_object.has("token"), answer.status() == 201);
    }
    return answer.status();
  }
  int create_with(std::string_view payload, std::string_view room = "room") {
    return outcome(kCreateRoom, room, payload);
  }

 private:
  std::optional<TcpPeer> control_;
};

TEST_F(JoinStatuses, CreateAndJoinGiveTokens) {
  ASSERT_NO_FATAL_FAILURE(start());
  const Answer created = control().create("room", fields_of("alice"));
  const Answer joined = control().join("room", fields_of("bob"));
  std::set<std::string> tokens;
  for (const Answer& answer : {created, joined}) {
    EXPECT_EQ(answer.accepted_status(), 202);
    EXPECT_EQ(answer.status(), 201);
    EXPECT_EQ(answer.token().size(), 32U);
    EXPECT_EQ(answer.token().find_first_not_of("0123456789abcdefABCDEF"), std::string::npos);
    tokens.insert(answer.token());
  }
  EXPECT_EQ(tokens.size(), 2U);
}

TEST_F(JoinStatuses, ATakenRoomOrNameIs409AndAMissingRoom404) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(control().join("room", fields_of("bob")).status(), 404);
  EXPECT_EQ(control().create("room", fields_of("alice")).status(), 201);
  EXPECT_EQ(control().create("room", fields_of("bob")).status(), 409);
  EXPECT_EQ(control().join("room", fields_of("alice")).status(), 409);
  EXPECT_EQ(control().join("room", fields_of("bob")).status(), 201);
  EXPECT_EQ(control().create("other", fields_of("alice")).status(), 201);
  EXPECT_EQ(control().join("ROOM", fields_of("carol")).status(), 404);
}

// The shard that is asked first is another one for each spelling, were it not for the folding.
TEST_F(JoinStatuses, NamesThatLookAlikeAreOneName) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(control().create("Kitchen", fields_of("Alice")).status(), 201);
  for (const char* const name : {"kitchen", "KITCHEN ", "kit\u200bchen", "\uff2bitchen"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(control().create(name, fields_of("bob")).status(), 409);
    EXPECT_EQ(control().join(name, fields_of("bob")).status(), 404);
  }
  for (const char* const name : {"alice", "ALICE", " Alice", "Ali\u00adce"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(control().join("Kitchen", fields_of(name)).status(), 409);
  }
  EXPECT_EQ(control().join("Kitchen", fields_of("Alicia")).status(), 201);
}

TEST_F(JoinStatuses, TheCreatorsPasswordIsAskedOfEachLaterMember) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(control().create("vault", fields_of("alice", "s\xc3\xa9same \"1\"")).status(), 201);
  EXPECT_EQ(control().join("vault", fields_of("bob")).status(), 401);
  EXPECT_EQ(control().join("vault", fields_of("bob", "s\xc3\xa9same")).status(), 401);
  EXPECT_EQ(control().join("vault", fields_of("bob", "S\xc3\xa9same \"1\"")).status(), 401);
  EXPECT_EQ(outcome(kJoinRoom, "vault", R"({"username": "bob", "ip": "", "port": 0})"), 401);
  EXPECT_EQ(control().join("vault", fields_of("bob", "s\xc3\xa9same \"1\"")).status(), 201);
  // The password is looked at first: whoever does not know it learns nothing about names.
  EXPECT_EQ(control().join("vault", fields_of("alice", "wrong")).status(), 401);
  EXPECT_EQ(control().join("vault", fields_of("alice", "s\xc3\xa9same \"1\"")).status(), 409);
  // An open room does not mind a password.
  EXPECT_EQ(control().create("open", fields_of("alice")).status(), 201);
  EXPECT_EQ(control().join("open", fields_of("bob", "anything")).status(), 201);
}

TEST_F(JoinStatuses, PasswordMayBeAbsentAndUnknownKeysAreIgnored) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(create_with(R"({"username": "alice", "ip": "", "port": ""})", "one"), 201);
  EXPECT_EQ(create_with(R"({"versions": [1, 2, {"deep": [null]}], "username": "alice", "x": null,)"
                        R"( "port": 0, "ip": "", "y": 1e300})",
                        "two"),
            201);
  EXPECT_EQ(control().join("one", fields_of("bob")).status(), 201);
  EXPECT_EQ(control().join("two", fields_of("bob")).status(), 201);
}

TEST_F(JoinStatuses, MalformedPayloadsAre400) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string good = R"({"username": "alice", "ip": "", "port": 0})";
  const std::vector<std::string> payloads{
      "",
      " ",
      "null",
      "[]",
      "{}",
      "\"alice\"",
      "[" + good + "]",
      good + good,
      good + "x",
      good.substr(0, good.size() - 1),
      R"({'username': 'alice', 'ip': '', 'port': 0})",
      R"({"username": "alice", "ip": "", "port": 0,})",
      R"({"username": "a)"
      "\xff"
      R"(", "ip": "", "port": 0})",
      R"({"username": "alice", "ip": "", "port": 0, "x": ")"
      "\xc3"
      R"("})",
      R"({"username": "\ud800", "ip": "", "port": 0})",
      std::string(10'000, '['),
      R"({"username": "alice", "ip": "", "port": 0, "x": )" + std::string(10'000, '['),
  };
  for (const std::string& payload : payloads) {
    SCOPED_TRACE(payload.substr(0, 80));
    EXPECT_EQ(create_with(payload), 400);
  }
  EXPECT_EQ(create_with(good), 201);
}

TEST_F(JoinStatuses, MissingFieldsAndWrongTypesAre400) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::map<std::string, std::vector<std::string>> wrong{
      {"username", {"", "1", "null", "true", "[]", "{}", "[\"alice\"]"}},
      {"ip", {"", "1", "null", "false", "[]", "{}", "2130706433"}},
      {"port",
       {"", "null", "true", "[]", "{}", "-1", "65536", "99999999999999999999", "1.5", "1e3",
        "\"x\"", "\"-1\"", "\"65536\"", "\"1.5\"", "\"0x50\"", "\"80 \"", "\" 80\"", "\"+80\"",
        "\"99999999999999999999\""}},
      {"password", {"1", "null", "true", "[]", "{}"}},
  };
  for (const auto& [field, values] : wrong) {
    for (const std::string& value : values) {
      std::map<std::string, std::string> fields{
          {"username", "\"alice\""}, {"ip", "\"\""}, {"port", "0"}, {"password", "\"\""}};
      fields[field] = value;
      std::string payload;
      for (const auto& [name, text] : fields) {
        if (text.empty()) continue;
        payload += (payload.empty() ? "{\"" : ", \"") + name + "\": " + text;
      }
      payload += "}";
      SCOPED_TRACE(payload);
      EXPECT_EQ(create_with(payload), 400);
    }
  }
}

// A name that is wrong as a username and as a room's name.
std::vector<std::string> bad_names() {
  return {"",
          std::string("a\0b", 3),
          "a\nb",
          "tab\there",
          "\x1b[31mred",
          "del\x7f",
          "next line \xc2\x85",
          "c1 csi \xc2\x9b",
          "\xff",
          "cut \xc3",
          "overlong \xc0\xaf",
          "surrogate \xed\xa0\x80",
          "beyond \xf4\x90\x80\x80"};
}

TEST_F(JoinStatuses, BadUsernamesAre400) {
  ASSERT_NO_FATAL_FAILURE(start());
  std::vector<std::string> names = bad_names();
  names.insert(names.end(),
               {std::string(256, 'a'), "system", "Server", "System", "SERVER ", "sys\u200btem"});
  for (const std::string& name : names) {
    SCOPED_TRACE(testing::PrintToString(name));
    EXPECT_EQ(create_with(join_payload(fields_of(name))), 400);
  }
  EXPECT_EQ(create_with(R"({"username": "\u0073ystem", "ip": "", "port": 0})"), 400);
  EXPECT_EQ(create_with(R"({"username": "a\u0000b", "ip": "", "port": 0})"), 400);
}

TEST_F(JoinStatuses, BadRoomNamesAre400) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const std::string& name : bad_names()) {
    SCOPED_TRACE(testing::PrintToString(name));
    EXPECT_EQ(create_with(join_payload(fields_of("alice")), name), 400);
    EXPECT_EQ(outcome(kJoinRoom, name, join_payload(fields_of("alice"))), 400);
  }
}

TEST_F(JoinStatuses, NamesOfEveryLengthAndLanguageAreWelcome) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::vector<std::string> names{"a",
                                       std::string(255, 'x'),
                                       "\xe6\x9d\xb1\xe4\xba\xac",
                                       "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
                                       " spaces ",
                                       "\"\\/'",
                                       "Systems",
                                       "a server"};
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    EXPECT_EQ(control().create(name, fields_of(name)).status(), 201);
    EXPECT_EQ(control().join(name, fields_of("guest")).status(), 201);
    EXPECT_EQ(control().join(name, fields_of(name)).status(), 409);
  }
}

TEST_F(JoinStatuses, ConfiguredLimitsAre503) {
  ASSERT_NO_FATAL_FAILURE(
      start({"--max-rooms", "2", "--max-members", "5", "--max-room-members", "3"}));
  EXPECT_EQ(control().create("one", fields_of("alice")).status(), 201);
  EXPECT_EQ(control().create("two", fields_of("alice")).status(), 201);
  EXPECT_EQ(control().create("three", fields_of("alice")).status(), 503);
  EXPECT_EQ(control().join("one", fields_of("bob")).status(), 201);
  EXPECT_EQ(control().join("one", fields_of("carol")).status(), 201);
  EXPECT_EQ(control().join("one", fields_of("dave")).status(), 503);
  EXPECT_EQ(control().join("two", fields_of("bob")).status(), 201);
  EXPECT_EQ(control().join("two", fields_of("carol")).status(), 503);
  // A limit refuses the newcomer only, and what leaves makes room.
  EXPECT_EQ(control().join("one", fields_of("alice")).status(), 409);
  EXPECT_EQ(totals()["requests_refused"], 4U);
}

TEST_F(JoinStatuses, WhatLeavesMakesRoomAgain) {
  ASSERT_NO_FATAL_FAILURE(start({"--max-rooms", "1", "--max-members", "2"}));
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    auto room = make_room(server(), "room " + std::to_string(round), {"alice", "bob"});
    ASSERT_EQ(room.size(), 2U);
    EXPECT_EQ(control().join(room[0].room(), fields_of("carol")).status(), 503);
    EXPECT_EQ(control().create("other", fields_of("carol")).status(), 503);
    room[0].leave();
    ASSERT_TRUE(room[1].hears_left("alice"));
    ASSERT_TRUE(room[1].hears_own_removal());
  }
}

TEST_F(JoinStatuses, TooManyRequestsFromOneAddressAre429) {
  ASSERT_NO_FATAL_FAILURE(start({"--limit-loopback", "--max-address-requests", "5"}));
  // Bursts of four times the sustained rate pass; well above that they do not.
  int passed = 0;
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    const int status = control().join("none", fields_of("alice")).status();
    passed += status == 404 ? 1 : 0;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_EQ(passed + refused, 60);
  EXPECT_GE(passed, 20);
  EXPECT_GE(refused, 20);
  // Another address has a budget of its own.
  TcpPeer other(server().tcp(), "127.0.0.2");
  EXPECT_EQ(other.join("none", fields_of("alice")).status(), 404);
}

TEST_F(JoinStatuses, TooManyRoomsFromOneAddressAre429) {
  ASSERT_NO_FATAL_FAILURE(start({"--limit-loopback", "--max-address-rooms", "3"}));
  std::vector<Member> hosts;
  for (int i = 0; i < 3; ++i) {
    auto host = Member::create(server(), "room " + std::to_string(i), "host");
    ASSERT_TRUE(host);
    hosts.push_back(std::move(*host));
  }
  EXPECT_EQ(control().create("fourth", fields_of("host")).status(), 429);
  EXPECT_EQ(control().join("room 0", fields_of("guest")).status(), 201);
  EXPECT_EQ(TcpPeer(server().tcp(), "127.0.0.2").create("fifth", fields_of("host")).status(), 201);
  // An ended room no longer counts. Its end shows when it can no longer be joined.
  auto guest = Member::join(server(), "room 1", "guest");
  ASSERT_TRUE(guest);
  hosts[1].leave();
  EXPECT_TRUE(guest->hears_left("host"));
  EXPECT_TRUE(guest->hears_own_removal());
  EXPECT_EQ(control().create("sixth", fields_of("host")).status(), 201);
}

TEST_F(JoinStatuses, LoopbackIsNotLimitedUnlessAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start({"--max-address-requests", "1", "--max-address-rooms", "1"}));
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(control().create("room " + std::to_string(i), fields_of("alice")).status(), 201);
  }
}

TEST_F(JoinStatuses, ManyRequestsOnOneConnectionAreAnsweredInOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  std::string requests;
  constexpr int kRequests = 500;
  for (int i = 0; i < kRequests; ++i) {
    requests += encode(create_request("room " + std::to_string(i / 2), "alice"));
  }
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.send(requests));
  ASSERT_TRUE(peer.read_greeting());
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_EQ(peer.read_answer().status(), i % 2 == 0 ? 201 : 409) << i;
  }
}

}  // namespace
}  // namespace chatd::test
