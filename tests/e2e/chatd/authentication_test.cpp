// Nobody speaks for another: what is not a member's own message is dropped and counted.
#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Authentication : public ServerTest {
 protected:
  void send_as(UdpPeer& socket, std::string_view room, std::string_view token,
               std::string_view payload) {
    socket.send(server().udp(), encode_datagram(room, token, payload));
  }
};

TEST_F(Authentication, AWrongSenderIsDropped) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3U);
  const std::vector<std::string> payloads{
      R"({"sender":"bob","message":"I am bob"})",
      R"({"sender":"Alice","message":"hi"})",
      R"({"sender":"alice ","message":"hi"})",
      R"({"sender":"","message":"hi"})",
      R"({"sender":"alice\u0000","message":"hi"})",
      R"({"sender":"Server","message":"You are not authenticated"})",
      R"({"sender":"system","operation":1,"username":"mallory","message":"mallory joined"})",
      R"({"sender":"system","operation":2,"username":"bob"})",
      R"({"sender":"system","operation":3,"username":"alice"})",
      R"({"sender":"system","username":"alice"})",
      R"({"sender":"system","message":"hi"})",
  };
  for (const std::string& payload : payloads) room[0].send_payload(payload);
  EXPECT_TRUE(all_is_heard(room));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_wrong_sender"] + counted["dropped_bad_payload"], payloads.size())
      << counted.to_string();
  EXPECT_GE(counted["dropped_wrong_sender"], 5U) << counted.to_string();
  EXPECT_EQ(counted["members_left"], 0U);
}

TEST_F(Authentication, APayloadThatIsNotOneObjectWithOneSenderIsDropped) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const std::string good = R"({"sender":"alice","message":"hi"})";
  const std::vector<std::string> payloads{
      "{}",
      "x",
      " ",
      "null",
      "\"alice\"",
      "[" + good + "]",
      good + good,
      good + "x",
      good + "}",
      std::string("\0\0", 2) + good,
      "\xef\xbb\xbf" + good,
      good.substr(0, good.size() - 1),
      R"({"message":"no sender"})",
      R"({"sender":"alice","sender":"alice"})",
      R"({"sender":"alice","message":"hi","sender":"bob"})",
      R"({"sender":"bob","message":"hi","sender":"alice"})",
      R"({"sender":"alice","s\u0065nder":"bob"})",
      R"({"s\u0065nder":"bob","sender":"alice"})",
      R"({"sender":["alice"]})",
      R"({"sender":1})",
      R"({"sender":null})",
      R"({"sender":{"sender":"alice"}})",
      R"({"inner":{"sender":"alice"}})",
      R"({'sender':'alice'})",
      R"({"sender":"alice",})",
      R"({"sender":"alice" "message":"hi"})",
      R"({"sender":"alice","message":01})",
      R"({"sender":"alice","message":"\x"})",
      R"({"sender":"alice","message":"\ud800"})",
      "{\"sender\":\"alice\",\"message\":\"\xff\"}",
      "{\"sender\":\"alice\",\"message\":\"\xc3\"}",
      "{\"sender\":\"alice\",\"message\":\"\xed\xa0\x80\"}",
      "{\"sender\":\"alice\",\"message\":\"line\nbreak\"}",
      "{\"sender\":\"alice\",\"message\":\"" + std::string(1, '\0') + "\"}",
      std::string(4000, '['),
      R"({"sender":"alice","x":)" + std::string(3900, '['),
      R"({"sender":"alice","x":)" + std::string(3000, '{') + "}",
      R"({"sender":"alice","x":)" + std::string(1100, '[') + std::string(1100, ']') + "}",
      R"({"sender":"alice","x":18446744073709551616})",
      R"({"sender":"alice","x":1e999})",
  };
  for (const std::string& payload : payloads) {
    SCOPED_TRACE(payload.substr(0, 80));
    room[0].send_payload(payload);
    EXPECT_TRUE(room[1].hears(room[0].say("after")));
  }
  EXPECT_TRUE(all_is_heard(room));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_wrong_sender"] + counted["dropped_bad_payload"], payloads.size())
      << counted.to_string();
}

TEST_F(Authentication, ATokenOpensItsOwnRoomOnly) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto here = make_room(server(), "here", {"alice", "bob"});
  auto there = make_room(server(), "there", {"alice", "bob"});
  ASSERT_EQ(here.size(), 2U);
  ASSERT_EQ(there.size(), 2U);
  const std::string payload = message_payload("alice", "from the other room");
  send_as(here[0].socket(), "there", here[0].token(), payload);
  send_as(here[0].socket(), "nowhere", here[0].token(), payload);
  send_as(here[0].socket(), "her", here[0].token(), payload);
  send_as(here[0].socket(), "here\n", here[0].token(), payload);
  EXPECT_TRUE(all_is_heard(there));
  EXPECT_TRUE(here[1].hears_nothing_before(here[0]));
  EXPECT_EQ(totals()["dropped_wrong_room"], 4U);
}

TEST_F(Authentication, AGoodTokenFromAnotherAddressIsDropped) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer other_port;
  UdpPeer other_ip("127.0.0.2", room[0].socket().address().port());
  for (UdpPeer* thief : {&other_port, &other_ip}) {
    send_as(*thief, "room", room[0].token(), message_payload("alice", "stolen"));
    send_as(*thief, "room", room[0].token(), leave_payload("alice"));
    send_as(*thief, "room", room[0].token(), "");
  }
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_EQ(totals()["dropped_wrong_address"], 6U);
}

TEST_F(Authentication, AGuessedTokenIsDropped) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  // Even a guess that is right but for one digit, wherever that is, and even from the right
  // address.
  const std::string& token = room[0].token();
  std::uint64_t guesses = 0;
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string guess = token;
    guess[at] = guess[at] == '0' ? '1' : '0';
    send_as(room[0].socket(), "room", guess, message_payload("alice", "guessed"));
    send_as(room[0].socket(), "room", raw_token(guess), message_payload("alice", "guessed"));
    guesses += 2;
  }
  for (const std::string& guess : {std::string(32, '0'), std::string(32, 'f'),
                                   std::string(16, '\0'), std::string(16, '\xff')}) {
    send_as(room[0].socket(), "room", guess, message_payload("alice", "guessed"));
    ++guesses;
  }
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  EXPECT_EQ(totals()["dropped_unknown_token"], guesses);
}

TEST_F(Authentication, AnothersTokenDoesNotLendItsName) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  // bob's own token and address, alice's name.
  send_as(room[1].socket(), "room", room[1].token(), message_payload("alice", "I am alice"));
  // alice's token from bob's address.
  send_as(room[1].socket(), "room", room[0].token(), message_payload("alice", "I am alice"));
  EXPECT_TRUE(room[0].hears_nothing_before(room[1]));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_wrong_sender"], 1U);
  EXPECT_EQ(counted["dropped_wrong_address"], 1U);
}

TEST_F(Authentication, ATokenEndsWithItsMember) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  room[1].leave();
  EXPECT_TRUE(room[0].hears_left("bob"));
  room[1].say("am I still here?");
  // The slot may go to somebody else, the token may not.
  auto carol = Member::join(server(), "room", "carol");
  ASSERT_TRUE(carol);
  EXPECT_TRUE(room[0].hears_joined("carol"));
  room[1].say("and now?");
  send_as(room[1].socket(), "room", room[1].token(), message_payload("carol", "or as carol?"));
  EXPECT_TRUE(room[0].hears_nothing_before(*carol));
  EXPECT_EQ(totals()["dropped_unknown_token"], 3U);
}

TEST_F(Authentication, MalformedHeadersAreDroppedInSilence) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer& socket = room[0].socket();
  const std::string good =
      encode_datagram("room", room[0].token(), message_payload("alice", "a long enough message"));
  std::uint64_t malformed = 0;
  const auto send_malformed = [&](const std::string& bytes) {
    socket.send(server().udp(), bytes);
    ++malformed;
  };
  send_malformed("");
  for (std::size_t size = 1; size < 2 + 4 + 32; ++size) send_malformed(good.substr(0, size));
  for (const int token_size : {0, 1, 15, 17, 31, 33, 64, 255}) {
    std::string bytes = good;
    bytes[1] = static_cast<char>(token_size);
    send_malformed(bytes);
  }
  std::string not_hexadecimal = good;
  not_hexadecimal[10] = 'g';
  send_malformed(not_hexadecimal);
  std::string room_too_long = good.substr(0, 100);
  room_too_long[0] = '\xff';
  send_malformed(room_too_long);
  std::string no_room = good;
  no_room[0] = 0;
  send_malformed(no_room);
  EXPECT_TRUE(all_is_heard(room));
  const Counters counted = totals();
  EXPECT_EQ(counted["dropped_malformed"], malformed) << counted.to_string();
  EXPECT_EQ(counted["unauthenticated_answers"], 0U);
}

}  // namespace
}  // namespace chatd::test
