// A message's way: to every other member of its room, byte for byte, and to nobody else.
#include <algorithm>
#include <cctype>
#include <random>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Relay : public ServerTest {};

TEST_F(Relay, ToEveryOtherMemberOfTheRoomAndToNobodyElse) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto here = make_room(server(), "here", {"alice", "bob", "carol"});
  auto there = make_room(server(), "there", {"alice", "dave"});
  ASSERT_EQ(here.size(), 3U);
  ASSERT_EQ(there.size(), 2U);
  for (std::size_t sender = 0; sender < here.size(); ++sender) {
    const std::string said = here[sender].say("message " + std::to_string(sender));
    for (std::size_t listener = 0; listener < here.size(); ++listener) {
      if (listener != sender) {
        EXPECT_TRUE(here[listener].hears(said));
      }
    }
  }
  EXPECT_TRUE(all_is_heard(here));
  EXPECT_TRUE(all_is_heard(there));
  const Counters counted = totals();
  EXPECT_EQ(counted["messages_accepted"], 3U + 2U + 2U);
  EXPECT_EQ(counted["deliveries_planned"], 3U * 2U + 2U * 2U + 2U * 1U);
  EXPECT_EQ(counted["deliveries_sent"], counted["deliveries_planned"]);
}

TEST_F(Relay, TheBytesAreTheSendersOwn) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const std::vector<std::string> payloads{
      R"({"sender":"alice","message":"hi"})",
      "  { \"message\" :\t\"hi\" ,\r\n \"sender\" : \"alice\" }\n ",
      R"({"sender":"\u0061l\u0069ce","message":"escaped"})",
      R"({"s\u0065nder":"alice"})",
      R"({"sender":"alice"})",
      R"({"sender":"alice","message":"\ud83d\ude00 \u0000 \/"})",
      "{\"sender\":\"alice\",\"message\":\"\xf0\x9f\x98\x80 \xe2\x80\xae \xef\xbf\xbf\"}",
      R"({"sender":"alice","inner":{"sender":"bob"},"list":[{"sender":"eve"}]})",
      R"({"sender":"alice","sender2":"bob","Sender":"eve","n":[1,-2.5e300,true,null]})",
      R"({"message":"twice","message":"twice","sender":"alice"})",
      R"({"sender":"alice","operation":1,"username":"mallory"})",
      R"({"sender":"alice","operation":2,"username":"alice"})",
      R"({"sender":"alice","file":{"name":"x","data":"AAECAw=="},"deep":[[[[[[[[[[1]]]]]]]]]]})",
      R"({"sender":"alice","deep":)" + std::string(1000, '[') + std::string(1000, ']') + "}",
  };
  for (const std::string& payload : payloads) {
    SCOPED_TRACE(payload);
    room[0].send_payload(payload);
    EXPECT_TRUE(room[1].hears(payload));
  }
  EXPECT_EQ(totals()["messages_accepted"], payloads.size());
}

TEST_F(Relay, EveryFormOfTheTokenIsTaken) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(room[1].hears(room[0].say("hexadecimal")));
    std::string upper_case = room[0].token();
    for (char& digit : upper_case) digit = static_cast<char>(std::toupper(digit));
    for (const std::string& token : {raw_token(room[0].token()), upper_case}) {
      const std::string payload = message_payload("alice", "another form");
      room[0].socket().send(server().udp(), encode_datagram("room", token, payload));
      EXPECT_TRUE(room[1].hears(payload));
    }
  }
}

TEST_F(Relay, ADatagramMayBe4096BytesLongAndNotOneMore) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const std::size_t overhead =
      encode_datagram("room", room[0].token(), message_payload("alice", "")).size();
  const std::string largest(kLargestDatagram - overhead, 'x');
  room[0].say(largest + "x");
  room[0].say(std::string(60'000, 'x'));
  EXPECT_TRUE(room[1].hears(room[0].say(largest)));
  EXPECT_TRUE(room[1].hears(room[0].say("after")));
  EXPECT_EQ(totals()["dropped_too_large"], 2U);
}

TEST_F(Relay, NamesMayBeAsLongAsAByteTells) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string name(255, 'n');
  auto room = make_room(server(), std::string(255, 'r'), {name, std::string(254, 'n')});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(room[1].hears(room[0].say("hi")));
  EXPECT_TRUE(room[0].hears(room[1].say("hi")));
}

TEST_F(Relay, AnEscapedOwnNameIsTheOwnName) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string name = "\"Zo\xc3\xab\" \\ \xf0\x9f\x98\x80";
  auto room = make_room(server(), "room", {name, "bob"});
  ASSERT_EQ(room.size(), 2U);
  for (const char* quoted : {"\"\\\"Zo\xc3\xab\\\" \\\\ \xf0\x9f\x98\x80\"",
                             R"("\u0022Zo\u00eb\u0022 \u005c \ud83d\ude00")"}) {
    const std::string payload = std::string("{\"sender\":") + quoted + ",\"message\":1}";
    room[0].send_payload(payload);
    EXPECT_TRUE(room[1].hears(payload));
  }
}

TEST_F(Relay, AHeartbeatIsNotRelayed) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  for (int i = 0; i < 10; ++i) room[0].heartbeat();
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  const Counters counted = totals();
  EXPECT_EQ(counted["heartbeats"], 10U);
  EXPECT_EQ(counted["messages_accepted"], 2U);
}

TEST_F(Relay, EachSendersOrderIsKeptAndNothingIsLostInABurst) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room =
      make_room(server(), "room", {"alice", "bob", "carol"}, {.receive_buffer_bytes = 8 << 20});
  ASSERT_EQ(room.size(), 3U);
  constexpr std::uint64_t kSeed = 20'240'501;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::vector<std::vector<std::string>> said(room.size());
  for (int i = 0; i < 300; ++i) {
    const std::size_t sender = random() % room.size();
    // Lengths alternate, so that messages can and cannot share a train.
    const std::string text(random() % 3 == 0 ? random() % 900 : 64, 'x');
    said[sender].push_back(room[sender].say(std::to_string(i) + text));
  }
  for (std::size_t listener = 0; listener < room.size(); ++listener) {
    std::vector<std::size_t> next(room.size(), 0);
    std::size_t expected = 0;
    for (std::size_t sender = 0; sender < room.size(); ++sender) {
      if (sender != listener) expected += said[sender].size();
    }
    for (std::size_t i = 0; i < expected; ++i) {
      const auto heard = room[listener].hear();
      ASSERT_TRUE(heard) << room[listener].name() << " after " << i << " of " << expected;
      const std::string name = JsonObject(*heard).text("sender");
      const auto sender = static_cast<std::size_t>(
          std::find_if(room.begin(), room.end(),
                       [&](const Member& member) { return member.name() == name; }) -
          room.begin());
      ASSERT_LT(sender, room.size());
      ASSERT_NE(sender, listener);
      ASSERT_LT(next[sender], said[sender].size());
      ASSERT_EQ(*heard, said[sender][next[sender]++]);
    }
  }
  EXPECT_TRUE(all_is_heard(room));
}

// A program that is in several rooms may use one socket for all: the token tells who speaks.
TEST_F(Relay, OneSocketMayBeSeveralMembers) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto one = make_room(server(), "one", {"alice"});
  auto two = make_room(server(), "two", {"bob"});
  ASSERT_EQ(one.size(), 1U);
  ASSERT_EQ(two.size(), 1U);
  UdpPeer shared;
  const JoinFields fields{
      .username = "carol", .ip = "127.0.0.1", .port = shared.address().port(), .password = ""};
  const std::string in_one = TcpPeer(server().tcp()).join("one", fields).token();
  const std::string in_two = TcpPeer(server().tcp()).join("two", fields).token();
  EXPECT_TRUE(one[0].hears_joined("carol"));
  EXPECT_TRUE(two[0].hears_joined("carol"));
  const auto heard_on_shared = [&] { return shared.receive().value_or(Datagram{}).bytes; };
  for (int round = 0; round < 3; ++round) {
    const std::string said = message_payload("carol", "round " + std::to_string(round));
    shared.send(server().udp(), encode_datagram("one", in_one, said));
    EXPECT_TRUE(one[0].hears(said));
    shared.send(server().udp(), encode_datagram("two", in_two, said));
    EXPECT_TRUE(two[0].hears(said));
    for (Member* other : {&one[0], &two[0]}) {
      const std::string reply = other->say("to " + other->room());
      EXPECT_EQ(heard_on_shared(), std::string("\0\0", 2) + reply);
    }
  }
  shared.send(server().udp(), encode_datagram("one", in_one, leave_payload("carol")));
  EXPECT_TRUE(one[0].hears_left("carol"));
  const std::string reply = two[0].say("still here?");
  EXPECT_EQ(heard_on_shared(), std::string("\0\0", 2) + reply);
}

TEST_F(Relay, AMemberAloneSpeaksToNobody) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  room[0].say("anybody?");
  // Its answer says that what came before it has been read; a join comes another way.
  const std::string question = R"({"heartbeat":"1"})";
  room[0].send_payload(question);
  ASSERT_TRUE(room[0].hears(question));
  auto bob = Member::join(server(), "room", "bob");
  ASSERT_TRUE(bob);
  EXPECT_TRUE(room[0].hears_joined("bob"));
  EXPECT_TRUE(bob->hears_nothing_before(room[0]));
}

}  // namespace
}  // namespace chatd::test
